package main

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A member of a group: prints the value of each record, and commits what was polled.
func member(address, topic, group string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	check(err)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { fmt.Println(string(r.Value)) })
		_ = client.CommitUncommittedOffsets(ctx) // tried again with the next poll
	}
	client.Close()
}
