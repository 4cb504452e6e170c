"""The structs of the Engine API that clients send, as moby's `api/types` declares them at 1.41.

A question mark is `omitempty`. Embedded structs
(`swarm.Annotations`) are written out. Names are Go's: answers and errors show them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_DECLARED = """
-- a container
swarm.CredentialSpec {Config string; File string; Registry string}
swarm.SELinuxContext {Disable bool; User string; Role string; Type string; Level string}
swarm.Privileges {CredentialSpec *swarm.CredentialSpec; SELinuxContext *swarm.SELinuxContext}
mount.BindOptions {Propagation? mount.Propagation; NonRecursive? bool}
mount.Driver {Name? string; Options? map[string]string}
mount.VolumeOptions {NoCopy? bool; Labels? map[string]string; DriverConfig? *mount.Driver}
mount.TmpfsOptions {SizeBytes? int64; Mode? fs.FileMode}
mount.Mount {Type? mount.Type; Source? string; Target? string; ReadOnly? bool;
    Consistency? mount.Consistency; BindOptions? *mount.BindOptions;
    VolumeOptions? *mount.VolumeOptions; TmpfsOptions? *mount.TmpfsOptions}
container.HealthConfig {Test? []string; Interval? time.Duration; Timeout? time.Duration;
    StartPeriod? time.Duration; Retries? int}
swarm.DNSConfig {Nameservers? []string; Search? []string; Options? []string}
swarm.SecretReferenceFileTarget {Name string; UID string; GID string; Mode fs.FileMode}
swarm.SecretReference {File *swarm.SecretReferenceFileTarget; SecretID string; SecretName string}
swarm.ConfigReferenceFileTarget {Name string; UID string; GID string; Mode fs.FileMode}
swarm.ConfigReferenceRuntimeTarget {}
swarm.ConfigReference {File? *swarm.ConfigReferenceFileTarget;
    Runtime? *swarm.ConfigReferenceRuntimeTarget; ConfigID string; ConfigName string}
units.Ulimit {Name string; Hard int64; Soft int64}
swarm.ContainerSpec {Image? string; Labels? map[string]string; Command? []string; Args? []string;
    Hostname? string; Env? []string; Dir? string; User? string; Groups? []string;
    Privileges? *swarm.Privileges; Init? *bool; StopSignal? string; TTY? bool; OpenStdin? bool;
    ReadOnly? bool; Mounts? []mount.Mount; StopGracePeriod? *time.Duration;
    Healthcheck? *container.HealthConfig; Hosts? []string; DNSConfig? *swarm.DNSConfig;
    Secrets? []*swarm.SecretReference; Configs? []*swarm.ConfigReference;
    Isolation? container.Isolation; Sysctls? map[string]string; CapabilityAdd? []string;
    CapabilityDrop? []string; Ulimits? []*units.Ulimit}

-- a task
runtime.PluginSpec {}
swarm.NetworkAttachmentSpec {ContainerID string}
swarm.Limit {NanoCPUs? int64; MemoryBytes? int64; Pids? int64}
swarm.NamedGenericResource {Kind? string; Value? string}
swarm.DiscreteGenericResource {Kind? string; Value? int64}
swarm.GenericResource {NamedResourceSpec? *swarm.NamedGenericResource;
    DiscreteResourceSpec? *swarm.DiscreteGenericResource}
swarm.Resources {NanoCPUs? int64; MemoryBytes? int64; GenericResources? []swarm.GenericResource}
swarm.ResourceRequirements {Limits? *swarm.Limit; Reservations? *swarm.Resources}
swarm.RestartPolicy {Condition? swarm.RestartPolicyCondition; Delay? *time.Duration;
    MaxAttempts? *uint64; Window? *time.Duration}
swarm.SpreadOver {SpreadDescriptor string}
swarm.PlacementPreference {Spread *swarm.SpreadOver}
swarm.Platform {Architecture? string; OS? string}
swarm.Placement {Constraints? []string; Preferences? []swarm.PlacementPreference;
    MaxReplicas? uint64; Platforms? []swarm.Platform}
swarm.NetworkAttachmentConfig {Target? string; Aliases? []string; DriverOpts? map[string]string}
swarm.Driver {Name? string; Options? map[string]string}
swarm.TaskSpec {ContainerSpec? *swarm.ContainerSpec; PluginSpec? *runtime.PluginSpec;
    NetworkAttachmentSpec? *swarm.NetworkAttachmentSpec; Resources? *swarm.ResourceRequirements;
    RestartPolicy? *swarm.RestartPolicy; Placement? *swarm.Placement;
    Networks? []swarm.NetworkAttachmentConfig; LogDriver? *swarm.Driver; ForceUpdate uint64;
    Runtime? swarm.RuntimeType}

-- a service
swarm.ReplicatedService {Replicas? *uint64}
swarm.GlobalService {}
swarm.ReplicatedJob {MaxConcurrent? *uint64; TotalCompletions? *uint64}
swarm.GlobalJob {}
swarm.ServiceMode {Replicated? *swarm.ReplicatedService; Global? *swarm.GlobalService;
    ReplicatedJob? *swarm.ReplicatedJob; GlobalJob? *swarm.GlobalJob}
swarm.UpdateConfig {Parallelism uint64; Delay? time.Duration; FailureAction? string;
    Monitor? time.Duration; MaxFailureRatio float32; Order string}
swarm.PortConfig {Name? string; Protocol? swarm.PortConfigProtocol; TargetPort? uint32;
    PublishedPort? uint32; PublishMode? swarm.PortConfigPublishMode}
swarm.EndpointSpec {Mode? swarm.ResolutionMode; Ports? []swarm.PortConfig}
swarm.ServiceSpec {Name? string; Labels map[string]string; TaskTemplate? swarm.TaskSpec;
    Mode? swarm.ServiceMode; UpdateConfig? *swarm.UpdateConfig;
    RollbackConfig? *swarm.UpdateConfig; Networks? []swarm.NetworkAttachmentConfig;
    EndpointSpec? *swarm.EndpointSpec}

-- nodes, configs, secrets
swarm.NodeSpec {Name? string; Labels map[string]string; Role? swarm.NodeRole;
    Availability? swarm.NodeAvailability}
swarm.ConfigSpec {Name? string; Labels map[string]string; Data? []uint8; Templating? *swarm.Driver}
swarm.SecretSpec {Name? string; Labels map[string]string; Data? []uint8; Driver? *swarm.Driver;
    Templating? *swarm.Driver}

-- networks
network.IPAMConfig {Subnet? string; IPRange? string; Gateway? string;
    AuxiliaryAddresses? map[string]string}
network.IPAM {Driver string; Options map[string]string; Config []network.IPAMConfig}
network.ConfigReference {Network string}
types.NetworkCreateRequest {CheckDuplicate bool; Driver string; Scope string; EnableIPv6 bool;
    IPAM *network.IPAM; Internal bool; Attachable bool; Ingress bool; ConfigOnly bool;
    ConfigFrom *network.ConfigReference; Options map[string]string; Labels map[string]string;
    Name string}
types.NetworkConnect {Container string}

-- the swarm
swarm.OrchestrationConfig {TaskHistoryRetentionLimit? *int64}
swarm.RaftConfig {SnapshotInterval? uint64; KeepOldSnapshots? *uint64;
    LogEntriesForSlowFollowers? uint64; ElectionTick int; HeartbeatTick int}
swarm.DispatcherConfig {HeartbeatPeriod? time.Duration}
swarm.ExternalCA {Protocol swarm.ExternalCAProtocol; URL string; Options? map[string]string;
    CACert string}
swarm.CAConfig {NodeCertExpiry? time.Duration; ExternalCAs? []*swarm.ExternalCA;
    SigningCACert? string; SigningCAKey? string; ForceRotate? uint64}
swarm.TaskDefaults {LogDriver? *swarm.Driver}
swarm.EncryptionConfig {AutoLockManagers bool}
swarm.Spec {Name? string; Labels map[string]string; Orchestration? swarm.OrchestrationConfig;
    Raft? swarm.RaftConfig; Dispatcher? swarm.DispatcherConfig; CAConfig? swarm.CAConfig;
    TaskDefaults? swarm.TaskDefaults; EncryptionConfig? swarm.EncryptionConfig}
swarm.InitRequest {ListenAddr string; AdvertiseAddr string; DataPathAddr string;
    DataPathPort uint32; ForceNewCluster bool; Spec swarm.Spec; AutoLockManagers bool;
    Availability swarm.NodeAvailability; DefaultAddrPool []string; SubnetSize uint32}
swarm.JoinRequest {ListenAddr string; AdvertiseAddr string; DataPathAddr string;
    RemoteAddrs []string; JoinToken string; Availability swarm.NodeAvailability}
swarm.UnlockRequest {UnlockKey string}
"""


class Field(NamedTuple):
    """A field of a struct: its name, its Go type, and whether its zero value is left out."""

    name: str
    kind: str
    omitempty: bool


#: By the name of the struct, and by the field's name in lower case: keys match in any case.
STRUCTS = {
    struct: {
        name.lower(): Field(name, kind, bool(mark))
        for name, mark, kind in re.findall(r"(\w+)(\??)\s+([^\s;]+)", body)
    }
    for struct, body in re.findall(r"^(\S+) \{(.*?)\}", _DECLARED, re.DOTALL | re.MULTILINE)
}

#: Integer types and what they hold.
INTEGERS = {
    **dict.fromkeys(("int", "int64", "time.Duration"), range(-(1 << 63), 1 << 63)),
    **dict.fromkeys(("uint32", "fs.FileMode"), range(1 << 32)),
    "uint64": range(1 << 64),
}

_OTHERS = {*INTEGERS, *STRUCTS, "bool", "float32", "uint8"}
#: Strings, under their own names or others.
TEXTS = {
    plain
    for fields in STRUCTS.values()
    for field in fields.values()
    if (plain := re.sub(r"^(\[\]|\*|map\[string\])*", "", field.kind)) not in _OTHERS
}
