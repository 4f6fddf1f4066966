// The records of ../support/records.ts through franz-go.
//
//	records write ADDRESS TOPIC CODEC COUNT     to partition 0
//	records read ADDRESS TOPIC...               prints TOPIC COUNT DIGEST PLAIN-DIGEST for each
//	records dump ADDRESS TOPIC                  prints the canonical lines
//	records member ADDRESS TOPIC GROUP [PROTOCOL] consumes with others until it is told to stop
//	records login ADDRESS TOPIC NAME=VALUE...   logs in, writes a record and reads it; see login.go
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func main() {
	address, topic := os.Args[2], os.Args[3]
	switch os.Args[1] {
	case "write":
		count, err := strconv.Atoi(os.Args[5])
		check(err)
		write(address, topic, os.Args[4], count)
	case "read":
		for _, topic := range os.Args[3:] {
			digest(address, topic)
		}
	case "dump":
		out := bufio.NewWriter(os.Stdout)
		read(address, topic, func(r *kgo.Record) { line, _ := lines(r); out.WriteString(line) })
		check(out.Flush())
	case "member":
		member(address, topic, os.Args[4], strings.Join(os.Args[5:], ""))
	case "login":
		login(address, topic, os.Args[4:])
	}
}

func record(topic string, i int) *kgo.Record {
	x := uint32(uint64(i)*2654435761 + 12345)
	r := &kgo.Record{Topic: topic, Partition: 0}
	if x%10 != 0 {
		length := (x >> 8) % 24
		if x%10 == 1 {
			length = 0
		}
		r.Key = make([]byte, length)
		for j := range r.Key {
			r.Key[j] = byte(x + 31*uint32(j) + uint32(i))
		}
	}
	if x%13 != 0 {
		length := (x >> 12) % 300
		if x%13 == 1 {
			length = 0
		}
		r.Value = make([]byte, length)
		for j := range r.Value {
			r.Value[j] = byte(97 + (uint32(j*j)+x%1000)%17)
		}
	}
	for h := uint32(0); h < (x>>20)%4; h++ {
		key := fmt.Sprintf("h%d", h+uint32(i)%3)
		if h == 2 {
			key += "é"
		}
		header := kgo.RecordHeader{Key: key}
		if (uint64(x)+uint64(h))%5 != 0 {
			header.Value = make([]byte, (x>>(h+3))%16)
			for j := range header.Value {
				header.Value[j] = byte(97 + (x%1000+h+uint32(j))%26)
			}
		}
		r.Headers = append(r.Headers, header)
	}
	at := 1_700_000_000_000 + 13*int64(i) + int64(x%1000)
	if i%7 == 0 {
		at -= 5000
	}
	r.Timestamp = time.UnixMilli(at)
	return r
}

func write(address, topic, codec string, count int) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ProducerBatchCompression(codecs[codec]),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(count+1), kgo.ProducerLinger(5*time.Millisecond))
	check(err)
	defer client.Close()
	for i := 0; i < count; i++ {
		client.Produce(context.Background(), record(topic, i), func(_ *kgo.Record, err error) { check(err) })
	}
	check(client.Flush(context.Background()))
}

func digest(address, topic string) {
	all, plain, count := sha256.New(), sha256.New(), 0
	read(address, topic, func(r *kgo.Record) {
		line, shorter := lines(r)
		all.Write([]byte(line))
		plain.Write([]byte(shorter))
		count++
	})
	fmt.Printf("%s %d %x %x\n", topic, count, all.Sum(nil), plain.Sum(nil))
}

func read(address, topic string, each func(*kgo.Record)) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		topic: {0: kgo.NewOffset().AtStart()},
	}))
	check(err)
	defer client.Close()
	end := endOffset(client, topic)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for next := int64(0); next < end; {
		fetches := client.PollFetches(ctx)
		for _, failed := range fetches.Errors() {
			check(fmt.Errorf("%s at %d of %d: %w", topic, next, end, failed.Err))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset < end {
				each(r)
			}
			next = r.Offset + 1
		})
	}
}

func endOffset(client *kgo.Client, topic string) int64 {
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID = -1
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Timestamp = -1
	part := kmsg.NewListOffsetsRequestTopic()
	part.Topic = topic
	part.Partitions = append(part.Partitions, partition)
	request.Topics = append(request.Topics, part)
	response, err := request.RequestWith(context.Background(), client)
	check(err)
	return response.Topics[0].Partitions[0].Offset
}

func lines(r *kgo.Record) (string, string) {
	rest := hexed(r.Key) + " " + hexed(r.Value)
	for _, header := range r.Headers {
		rest += " " + header.Key + "=" + hexed(header.Value)
	}
	return fmt.Sprintf("%d %d %s\n", r.Offset, r.Timestamp.UnixMilli(), rest), fmt.Sprintf("%d %s\n", r.Offset, rest)
}

func hexed(field []byte) string {
	if field == nil {
		return "-"
	}
	return hex.EncodeToString(field)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
