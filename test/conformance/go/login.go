package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// login takes mechanism, user, password, ca, cert and key (files), each as NAME=VALUE and only where it is wanted.
func login(address, topic string, settings []string) {
	given := map[string]string{}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		given[name] = value
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RetryTimeout(5 * time.Second),
		kgo.RecordDeliveryTimeout(5 * time.Second),
	}
	switch user, password := given["user"], given["password"]; given["mechanism"] {
	case "PLAIN":
		options = append(options, kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()))
	case "SCRAM-SHA-256":
		options = append(options, kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		options = append(options, kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha512Mechanism()))
	}
	if given["ca"] != "" {
		pem, err := os.ReadFile(given["ca"])
		check(err)
		config := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
		config.RootCAs.AppendCertsFromPEM(pem)
		if given["cert"] != "" {
			certificate, err := tls.LoadX509KeyPair(given["cert"], given["key"])
			check(err)
			config.Certificates = []tls.Certificate{certificate}
		}
		options = append(options, kgo.DialTLSConfig(config))
	}
	client, err := kgo.NewClient(options...)
	check(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	check(client.Ping(ctx))
	check(client.ProduceSync(ctx, kgo.StringRecord("from franz-go")).FirstErr())
	fetches := client.PollRecords(ctx, 1)
	check(fetches.Err())
	fmt.Println("read", len(fetches.Records()) > 0)
}
