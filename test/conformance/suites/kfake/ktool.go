// A cluster of these tests that is a broker in a process of its own: one for each test, started with what the test asks
// of its cluster and gone with it. What only a broker inside the test can do (control hooks) skips the test.

package kfake

import (
	"bufio"
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	ktoolCommand = "KTOOL_KFAKE_COMMAND" // starts a broker, one word a line; says `listening on HOST:PORT` on stderr
	ktoolAddress = "KTOOL_KFAKE_ADDRESS" // instead of starting one
	ktoolNobody  = "KTOOL_KFAKE_NOBODY"  // set: nobody is at that address
	ktoolLogs    = "KTOOL_KFAKE_LOGS"    // directory for the brokers' logs, one file each
	ktoolStart   = 30 * time.Second
	ktoolStop    = 20 * time.Second
	ktoolAsk     = 10 * time.Second
)

type ktoolCluster struct {
	t       testing.TB
	address string
	// Where ktool itself asks: the same, but for a cluster with logins.
	adminAddress string
	admin        *kgo.Client
	directory    string
	process      *exec.Cmd
	exited       chan struct{}
	log          *os.File
	closed       bool
}

// Where tests restart a cluster on a file system in memory: the directory that stands for it.
var ktoolDisks = map[fs]string{}

// The broker that runs on a directory: a test that starts another one there means a crash.
var ktoolRunning = map[string]*ktoolCluster{}

var ktoolListener = regexp.MustCompile(`listener (PLAINTEXT|SASL_PLAINTEXT) on (\S+:\d+)`)

var ktoolListening = regexp.MustCompile(`listening on (\S+:\d+)`)

// NewKtoolCluster stands in for NewCluster.
func NewKtoolCluster(t testing.TB, opts ...Opt) (*Cluster, error) {
	config := cfg{sasls: make(map[struct{ m, u string }]string)}
	for _, opt := range opts {
		opt.apply(&config)
	}
	k := &ktoolCluster{t: t}
	c := &Cluster{cfg: config, ktool: k}
	k.refuseHooks(&config)
	if k.address = os.Getenv(ktoolAddress); k.address != "" {
		k.adminAddress = k.address
		if os.Getenv(ktoolNobody) == "" {
			k.seed(&config)
		}
		return c, nil
	}
	if err := k.start(k.arguments(&config)); err != nil {
		return c, err
	}
	k.seed(&config)
	return c, nil
}

func (k *ktoolCluster) refuseHooks(config *cfg) {
	switch {
	case config.maxVersions != nil:
		k.hook("MaxVersions")
	case config.synthetic != nil || config.blackholeProduce:
		k.hook("SyntheticFetch, BlackholeProduce")
	case config.listenFn != nil || config.tls != nil || len(config.ports) > 0:
		k.hook("ListenFn, TLS, Ports")
	case config.sleepOutOfOrder:
		k.hook("SleepOutOfOrder")
	}
	if _, inMemory := config.injectFS.(*memFS); config.injectFS != nil && !inMemory {
		k.hook("a file system with faults")
	}
}

func (k *ktoolCluster) arguments(config *cfg) []string {
	properties := map[string]string{
		"node.id":                          "0",
		"num.partitions":                   strconv.Itoa(defaultPartitions(config)),
		"auto.create.topics.enable":        strconv.FormatBool(config.allowAutoTopic),
		"group.initial.rebalance.delay.ms": "0",
	}
	if config.minSessionTimeout > 0 {
		properties["group.min.session.timeout.ms"] = strconv.FormatInt(config.minSessionTimeout.Milliseconds(), 10)
	}
	if config.maxSessionTimeout > 0 {
		properties["group.max.session.timeout.ms"] = strconv.FormatInt(config.maxSessionTimeout.Milliseconds(), 10)
	}
	for name, value := range config.brokerConfigs {
		if value == "" || isTinySegment(name, value) {
			continue
		}
		properties[name] = value
		// Kafka bounds these two from below.
		if rest, found := strings.CutPrefix(name, "group.consumer."); found && strings.HasSuffix(rest, ".ms") {
			properties["group.consumer.min."+rest] = value
		}
	}
	if logins(config) {
		addLogins(properties, config)
	} else {
		properties["listeners"] = "PLAINTEXT://127.0.0.1:0"
	}
	arguments := []string{"--ephemeral"}
	if k.directory = directoryOf(k.t, config); k.directory != "" {
		arguments = []string{"--data-dir", k.directory}
	}
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		arguments = append(arguments, "--property", name+"="+properties[name])
	}
	return arguments
}

func defaultPartitions(config *cfg) int {
	if config.defaultNumParts > 0 {
		return config.defaultNumParts
	}
	return 10
}

// Kafka refuses segments of less than 1 MiB but by its internal setting of a topic.
func isTinySegment(name, value string) bool {
	size, err := strconv.Atoi(value)
	return name == "log.segment.bytes" && err == nil && size < 1<<20
}

func logins(config *cfg) bool { return config.enableSASL || config.enableACLs || len(config.sasls) > 0 }

// A listener with logins for the test, and one without for ktool, which may do everything.
func addLogins(properties map[string]string, config *cfg) {
	if config.enableSASL && len(config.sasls) == 0 {
		config.sasls[struct{ m, u string }{saslScram256, "admin"}] = "admin"
	}
	plain := "org.apache.kafka.common.security.plain.PlainLoginModule required"
	super := []string{"User:ANONYMOUS"}
	for login, password := range config.sasls {
		if login.m == saslPlain {
			plain += fmt.Sprintf(` user_%s="%s"`, login.u, password)
		}
	}
	for user := range config.superusers {
		super = append(super, "User:"+user)
	}
	properties["listeners"] = "SASL_PLAINTEXT://127.0.0.1:0,PLAINTEXT://127.0.0.1:0"
	properties["sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
	properties["listener.name.sasl_plaintext.plain.sasl.jaas.config"] = plain + ";"
	if config.enableACLs {
		properties["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
		properties["super.users"] = strings.Join(super, ";")
	}
}

// The directory of a cluster that a test restarts; "" for one that is gone when it is closed.
func directoryOf(t testing.TB, config *cfg) string {
	if config.injectFS != nil {
		if ktoolDisks[config.injectFS] == "" {
			ktoolDisks[config.injectFS] = t.TempDir()
		}
		return filepath.Join(ktoolDisks[config.injectFS], "ktool")
	}
	if config.dataDir == "" {
		return ""
	}
	return filepath.Join(config.dataDir, "ktool")
}

// Topics, users and rules that the cluster has from the start.
func (k *ktoolCluster) seed(config *cfg) {
	configs := map[string]string{}
	if size := config.brokerConfigs["log.segment.bytes"]; isTinySegment("log.segment.bytes", size) {
		configs["internal.segment.bytes"] = size
	}
	for _, seed := range config.seedTopics {
		for _, topic := range seed.ts {
			if err := k.createTopic(topic, seed.p, configs); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
				k.t.Fatalf("seeding %s: %v", topic, err)
			}
		}
	}
	users := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for login, password := range config.sasls {
		user := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
		user.Name, user.Iterations, user.Salt = login.u, 4096, []byte("salt of the test")
		switch login.m {
		case saslScram256:
			user.Mechanism = 1
			user.SaltedPassword, _ = pbkdf2.Key(sha256.New, password, user.Salt, int(user.Iterations), sha256.Size)
		case saslScram512:
			user.Mechanism = 2
			user.SaltedPassword, _ = pbkdf2.Key(sha512.New, password, user.Salt, int(user.Iterations), sha512.Size)
		default:
			continue
		}
		users.Upsertions = append(users.Upsertions, user)
	}
	if len(users.Upsertions) > 0 {
		ktoolAskFor[*kmsg.AlterUserSCRAMCredentialsResponse](k, users)
	}
	rules := kmsg.NewPtrCreateACLsRequest()
	for _, seed := range config.seedACLs {
		rule := kmsg.NewCreateACLsRequestCreation()
		rule.Principal, rule.Host, rule.ResourceType, rule.ResourceName = seed.principal, seed.host, seed.resourceType, seed.resourceName
		rule.ResourcePatternType, rule.Operation, rule.PermissionType = seed.pattern, seed.operation, seed.permission
		rules.Creations = append(rules.Creations, rule)
	}
	if len(rules.Creations) > 0 {
		ktoolAskFor[*kmsg.CreateACLsResponse](k, rules)
	}
}

func (k *ktoolCluster) start(arguments []string) error {
	if before := ktoolRunning[k.directory]; before != nil && !before.closed {
		before.kill()
	}
	command := strings.Split(os.Getenv(ktoolCommand), "\n")
	k.process = exec.Command(command[0], append(command[1:], arguments...)...)
	stderr, err := k.process.StderrPipe()
	if err != nil {
		return err
	}
	if k.log, err = os.CreateTemp(os.Getenv(ktoolLogs), "broker-*.log"); err != nil {
		return err
	}
	fmt.Fprintf(k.log, "%s\n", k.t.Name())
	if err := k.process.Start(); err != nil {
		return err
	}
	k.exited = make(chan struct{})
	listening := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(k.log, lines.Text())
			if found := ktoolListener.FindStringSubmatch(lines.Text()); found != nil && (found[1] == "PLAINTEXT" || k.adminAddress == "") {
				k.adminAddress = found[2]
			}
			if found := ktoolListening.FindStringSubmatch(lines.Text()); found != nil && len(listening) == 0 {
				listening <- found[1]
			}
		}
		k.process.Wait()
		close(k.exited)
	}()
	k.t.Cleanup(k.close)
	select {
	case k.address = <-listening:
		if k.directory != "" {
			ktoolRunning[k.directory] = k
		}
		if k.adminAddress == "" {
			k.adminAddress = k.address
		}
		return nil
	case <-k.exited:
		k.closed = true
		return errors.New("the broker does not start: see " + k.log.Name())
	case <-time.After(ktoolStart):
		return errors.New("the broker does not listen")
	}
}

func (k *ktoolCluster) close() {
	if k.closed || k.process == nil {
		return
	}
	k.closed = true
	if k.admin != nil {
		k.admin.Close()
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.process.Process.Pid))
	if peak := regexp.MustCompile(`VmHWM:\s+(\d+)`).FindSubmatch(status); err == nil && peak != nil {
		fmt.Fprintf(k.log, "peak %s kB\n", peak[1])
	} else {
		fmt.Fprintln(k.log, "Error: the broker ended by itself")
	}
	k.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-k.exited:
	case <-time.After(ktoolStop):
		fmt.Fprintln(k.log, "Error: the broker does not stop")
		k.process.Process.Kill()
		<-k.exited
	}
	k.log.Close()
}

// As a crash does; the next broker on the directory finds what was written.
func (k *ktoolCluster) kill() {
	k.closed = true
	if k.admin != nil {
		k.admin.Close()
	}
	k.process.Process.Kill()
	<-k.exited
}

func (k *ktoolCluster) hook(name string) {
	k.t.Helper()
	k.t.Skipf("needs a hook: %s", name)
}

func ktoolSkip(t *testing.T, reason string) { t.Skipf("needs a hook: %s", reason) }

func (k *ktoolCluster) listenAddrs() []string { return []string{k.address} }

// Sends a request as an administrator. Errors of the connection end the test.
func ktoolAskFor[R kmsg.Response](k *ktoolCluster, request kmsg.Request) R {
	k.t.Helper()
	if k.admin == nil {
		admin, err := kgo.NewClient(kgo.SeedBrokers(k.adminAddress))
		if err != nil {
			k.t.Fatal(err)
		}
		k.admin = admin
	}
	ctx, cancel := context.WithTimeout(context.Background(), ktoolAsk)
	defer cancel()
	for {
		response, err := k.admin.Request(ctx, request)
		if err == nil {
			return response.(R)
		}
		if !kerr.IsRetriable(err) || ctx.Err() != nil { // a coordinator may not be ready yet
			k.t.Fatalf("asking the broker: %v", err)
		}
	}
}

func (k *ktoolCluster) metadata(topic string) *kmsg.MetadataResponseTopic {
	request := kmsg.NewPtrMetadataRequest()
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.Topic = kmsg.StringPtr(topic)
	request.Topics = append(request.Topics, wanted)
	response := ktoolAskFor[*kmsg.MetadataResponse](k, request)
	if len(response.Topics) != 1 || response.Topics[0].ErrorCode != 0 {
		return nil
	}
	return &response.Topics[0]
}

func (k *ktoolCluster) topicInfo(topic string) *TopicInfo {
	metadata := k.metadata(topic)
	if metadata == nil {
		return nil
	}
	info := &TopicInfo{Topic: topic, TopicID: metadata.TopicID, Configs: map[string]*string{}}
	if len(metadata.Partitions) > 0 {
		info.NumReplicas = len(metadata.Partitions[0].Replicas)
	}
	request := kmsg.NewPtrDescribeConfigsRequest()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	request.Resources = append(request.Resources, resource)
	for _, resource := range ktoolAskFor[*kmsg.DescribeConfigsResponse](k, request).Resources {
		for _, config := range resource.Configs {
			if config.Source == kmsg.ConfigSourceDynamicTopicConfig {
				info.Configs[config.Name] = config.Value
			}
		}
	}
	return info
}

func (k *ktoolCluster) topicIDInfo(id [16]byte) *TopicInfo {
	request := kmsg.NewPtrMetadataRequest()
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.TopicID = id
	request.Topics = append(request.Topics, wanted)
	response := ktoolAskFor[*kmsg.MetadataResponse](k, request)
	if len(response.Topics) != 1 || response.Topics[0].ErrorCode != 0 || response.Topics[0].Topic == nil {
		return nil
	}
	return k.topicInfo(*response.Topics[0].Topic)
}

func (k *ktoolCluster) partitionInfos(topic string) []*PartitionInfo {
	metadata := k.metadata(topic)
	if metadata == nil {
		return nil
	}
	infos := make([]*PartitionInfo, 0, len(metadata.Partitions))
	for _, partition := range metadata.Partitions {
		info := &PartitionInfo{Partition: partition.Partition, Epoch: partition.LeaderEpoch, Leader: partition.Leader}
		info.HighWatermark, _ = k.offset(topic, partition.Partition, -1, 0)
		info.LastStableOffset, _ = k.offset(topic, partition.Partition, -1, 1)
		info.LogStartOffset, _ = k.offset(topic, partition.Partition, -2, 0)
		_, info.MaxTimestamp = k.offset(topic, partition.Partition, -3, 0)
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b *PartitionInfo) int { return int(a.Partition - b.Partition) })
	request := kmsg.NewPtrDescribeLogDirsRequest()
	for _, directory := range ktoolAskFor[*kmsg.DescribeLogDirsResponse](k, request).Dirs {
		for _, found := range directory.Topics {
			for _, partition := range found.Partitions {
				if found.Topic == topic && int(partition.Partition) < len(infos) {
					infos[partition.Partition].NumBytes = partition.Size
				}
			}
		}
	}
	return infos
}

func (k *ktoolCluster) partitionInfo(topic string, partition int32) *PartitionInfo {
	infos := k.partitionInfos(topic)
	if int(partition) >= len(infos) {
		return nil
	}
	return infos[partition]
}

func (k *ktoolCluster) offset(topic string, partition int32, timestamp int64, isolation int8) (offset, found int64) {
	request := kmsg.NewPtrListOffsetsRequest()
	request.IsolationLevel = isolation
	wanted := kmsg.NewListOffsetsRequestTopic()
	wanted.Topic = topic
	at := kmsg.NewListOffsetsRequestTopicPartition()
	at.Partition, at.Timestamp = partition, timestamp
	wanted.Partitions = append(wanted.Partitions, at)
	request.Topics = append(request.Topics, wanted)
	answer := ktoolAskFor[*kmsg.ListOffsetsResponse](k, request).Topics[0].Partitions[0]
	return answer.Offset, answer.Timestamp
}

func (k *ktoolCluster) leaderFor(topic string, partition int32) int32 {
	metadata := k.metadata(topic)
	if metadata == nil || int(partition) >= len(metadata.Partitions) {
		return -1
	}
	return 0
}

func (k *ktoolCluster) coordinatorFor(string) int32 { return 0 }

func (k *ktoolCluster) createTopic(topic string, partitions int32, configs map[string]string) error {
	request := kmsg.NewPtrCreateTopicsRequest()
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic, max(partitions, -1), -1
	if partitions == 0 {
		wanted.NumPartitions = -1
	}
	for name, value := range configs {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = name, kmsg.StringPtr(value)
		wanted.Configs = append(wanted.Configs, config)
	}
	request.Topics = append(request.Topics, wanted)
	return kerr.ErrorForCode(ktoolAskFor[*kmsg.CreateTopicsResponse](k, request).Topics[0].ErrorCode)
}

func (k *ktoolCluster) deleteTopic(topic string) error {
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.TopicNames = []string{topic}
	wanted := kmsg.NewDeleteTopicsRequestTopic()
	wanted.Topic = kmsg.StringPtr(topic)
	request.Topics = append(request.Topics, wanted)
	return kerr.ErrorForCode(ktoolAskFor[*kmsg.DeleteTopicsResponse](k, request).Topics[0].ErrorCode)
}

func (k *ktoolCluster) deleteRecords(topic string, partition int32, offset int64) error {
	request := kmsg.NewPtrDeleteRecordsRequest()
	wanted := kmsg.NewDeleteRecordsRequestTopic()
	wanted.Topic = topic
	at := kmsg.NewDeleteRecordsRequestTopicPartition()
	at.Partition, at.Offset = partition, offset
	wanted.Partitions = append(wanted.Partitions, at)
	request.Topics = append(request.Topics, wanted)
	return kerr.ErrorForCode(ktoolAskFor[*kmsg.DeleteRecordsResponse](k, request).Topics[0].Partitions[0].ErrorCode)
}

func (k *ktoolCluster) setGroupConfigs(group string, configs map[string]string) {
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	for name, value := range configs {
		if strings.HasPrefix(name, "share.") {
			k.hook("share groups")
		}
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = name, kmsg.StringPtr(value)
		resource.Configs = append(resource.Configs, config)
	}
	request.Resources = append(request.Resources, resource)
	for _, resource := range ktoolAskFor[*kmsg.IncrementalAlterConfigsResponse](k, request).Resources {
		if err := kerr.ErrorForCode(resource.ErrorCode); err != nil {
			k.t.Fatalf("group configs: %v", err)
		}
	}
}

func (k *ktoolCluster) groupInfo(group string) *GroupInfo {
	info := k.consumerGroup(group)
	if info == nil {
		info = k.classicGroup(group)
	}
	if info == nil {
		return nil
	}
	sortMembers(info.Members)
	info.Commits = map[string]map[int32]GroupCommit{}
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group = group
	wanted := kmsg.NewOffsetFetchRequestGroup()
	wanted.Group = group
	request.Groups = append(request.Groups, wanted)
	for _, found := range ktoolAskFor[*kmsg.OffsetFetchResponse](k, request).Groups {
		for _, topic := range found.Topics {
			name := topic.Topic
			if name == "" {
				name = k.topicIDInfo(topic.TopicID).Topic
			}
			info.Commits[name] = map[int32]GroupCommit{}
			for _, at := range topic.Partitions {
				commit := GroupCommit{Offset: at.Offset, LeaderEpoch: at.LeaderEpoch}
				if at.Metadata != nil {
					commit.Metadata = *at.Metadata
				}
				info.Commits[name][at.Partition] = commit
			}
		}
	}
	return info
}

// Nil for a group that is not of this kind.
func (k *ktoolCluster) consumerGroup(group string) *GroupInfo {
	request := kmsg.NewPtrConsumerGroupDescribeRequest()
	request.Groups = []string{group}
	found := ktoolAskFor[*kmsg.ConsumerGroupDescribeResponse](k, request).Groups[0]
	if found.ErrorCode != 0 {
		return nil
	}
	info := &GroupInfo{Group: group, State: found.State, Epoch: found.Epoch}
	for _, member := range found.Members {
		assignment := map[string][]int32{}
		for _, topic := range member.Assignment.TopicPartitions {
			assignment[topic.Topic] = slices.Clone(topic.Partitions)
		}
		info.Members = append(info.Members, GroupMember{
			MemberID: member.MemberID, InstanceID: member.InstanceID, ClientID: member.ClientID, ClientHost: member.ClientHost,
			SubscribedTopics: member.SubscribedTopics, Assignment: assignment,
		})
	}
	return info
}

// Nil when there is no such group.
func (k *ktoolCluster) classicGroup(group string) *GroupInfo {
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{group}
	found := ktoolAskFor[*kmsg.DescribeGroupsResponse](k, request).Groups[0]
	if found.ErrorCode != 0 || found.State == "Dead" {
		return nil
	}
	info := &GroupInfo{Group: group, State: found.State}
	for _, member := range found.Members {
		described := GroupMember{
			MemberID: member.MemberID, InstanceID: member.InstanceID, ClientID: member.ClientID, ClientHost: member.ClientHost,
			Assignment: map[string][]int32{},
		}
		var metadata kmsg.ConsumerMemberMetadata
		if metadata.ReadFrom(member.ProtocolMetadata) == nil {
			described.SubscribedTopics = metadata.Topics
		}
		var assignment kmsg.ConsumerMemberAssignment
		if assignment.ReadFrom(member.MemberAssignment) == nil {
			for _, topic := range assignment.Topics {
				described.Assignment[topic.Topic] = slices.Clone(topic.Partitions)
			}
		}
		info.Members = append(info.Members, described)
	}
	return info
}
