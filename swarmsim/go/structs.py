"""The structs of the Engine API that clients send, as moby's `api/types` declares them at 1.41.

Names and `omitempty` are Go's, since the engine's answers and its errors show both.
"""

from __future__ import annotations

from swarmsim.go.shapes import (
    BOOL,
    DURATION,
    FILE_MODE,
    FLOAT32,
    INT,
    INT64,
    STRING,
    UINT32,
    UINT64,
    Bytes,
    Field,
    List,
    Map,
    Pointer,
    Shape,
    Struct,
    text,
)

STRINGS = List(STRING)
LABELS = Map(STRING)


def _optional(name: str, shape: Shape) -> Field:
    return Field(name, shape, omitempty=True)


ANNOTATIONS = (_optional("Name", STRING), Field("Labels", LABELS))

DRIVER = Struct("swarm.Driver", _optional("Name", STRING), _optional("Options", LABELS))

# -- a service's containers -----------------------------------------------------------------

MOUNT = Struct(
    "mount.Mount",
    _optional("Type", text("mount.Type")),
    _optional("Source", STRING),
    _optional("Target", STRING),
    _optional("ReadOnly", BOOL),
    _optional("Consistency", text("mount.Consistency")),
    _optional(
        "BindOptions",
        Pointer(
            Struct(
                "mount.BindOptions",
                _optional("Propagation", text("mount.Propagation")),
                _optional("NonRecursive", BOOL),
            )
        ),
    ),
    _optional(
        "VolumeOptions",
        Pointer(
            Struct(
                "mount.VolumeOptions",
                _optional("NoCopy", BOOL),
                _optional("Labels", LABELS),
                _optional(
                    "DriverConfig",
                    Pointer(
                        Struct(
                            "mount.Driver",
                            _optional("Name", STRING),
                            _optional("Options", LABELS),
                        )
                    ),
                ),
            )
        ),
    ),
    _optional(
        "TmpfsOptions",
        Pointer(
            Struct(
                "mount.TmpfsOptions",
                _optional("SizeBytes", INT64),
                _optional("Mode", FILE_MODE),
            )
        ),
    ),
)

HEALTH_CONFIG = Struct(
    "container.HealthConfig",
    _optional("Test", STRINGS),
    _optional("Interval", DURATION),
    _optional("Timeout", DURATION),
    _optional("StartPeriod", DURATION),
    _optional("Retries", INT),
)

PRIVILEGES = Struct(
    "swarm.Privileges",
    Field(
        "CredentialSpec",
        Pointer(
            Struct(
                "swarm.CredentialSpec",
                Field("Config", STRING),
                Field("File", STRING),
                Field("Registry", STRING),
            )
        ),
    ),
    Field(
        "SELinuxContext",
        Pointer(
            Struct(
                "swarm.SELinuxContext",
                Field("Disable", BOOL),
                Field("User", STRING),
                Field("Role", STRING),
                Field("Type", STRING),
                Field("Level", STRING),
            )
        ),
    ),
)


def _file_target(name: str) -> Struct:
    return Struct(
        name,
        Field("Name", STRING),
        Field("UID", STRING),
        Field("GID", STRING),
        Field("Mode", FILE_MODE),
    )


SECRET_REFERENCE = Struct(
    "swarm.SecretReference",
    Field("File", Pointer(_file_target("swarm.SecretReferenceFileTarget"))),
    Field("SecretID", STRING),
    Field("SecretName", STRING),
)

CONFIG_REFERENCE = Struct(
    "swarm.ConfigReference",
    _optional("File", Pointer(_file_target("swarm.ConfigReferenceFileTarget"))),
    _optional("Runtime", Pointer(Struct("swarm.ConfigReferenceRuntimeTarget"))),
    Field("ConfigID", STRING),
    Field("ConfigName", STRING),
)

CONTAINER_SPEC = Struct(
    "swarm.ContainerSpec",
    _optional("Image", STRING),
    _optional("Labels", LABELS),
    _optional("Command", STRINGS),
    _optional("Args", STRINGS),
    _optional("Hostname", STRING),
    _optional("Env", STRINGS),
    _optional("Dir", STRING),
    _optional("User", STRING),
    _optional("Groups", STRINGS),
    _optional("Privileges", Pointer(PRIVILEGES)),
    _optional("Init", Pointer(BOOL)),
    _optional("StopSignal", STRING),
    _optional("TTY", BOOL),
    _optional("OpenStdin", BOOL),
    _optional("ReadOnly", BOOL),
    _optional("Mounts", List(MOUNT)),
    _optional("StopGracePeriod", Pointer(DURATION)),
    _optional("Healthcheck", Pointer(HEALTH_CONFIG)),
    _optional("Hosts", STRINGS),
    _optional(
        "DNSConfig",
        Pointer(
            Struct(
                "swarm.DNSConfig",
                _optional("Nameservers", STRINGS),
                _optional("Search", STRINGS),
                _optional("Options", STRINGS),
            )
        ),
    ),
    _optional("Secrets", List(Pointer(SECRET_REFERENCE))),
    _optional("Configs", List(Pointer(CONFIG_REFERENCE))),
    _optional("Isolation", text("container.Isolation")),
    _optional("Sysctls", LABELS),
    _optional("CapabilityAdd", STRINGS),
    _optional("CapabilityDrop", STRINGS),
    _optional(
        "Ulimits",
        List(
            Pointer(
                Struct(
                    "units.Ulimit",
                    Field("Name", STRING),
                    Field("Hard", INT64),
                    Field("Soft", INT64),
                )
            )
        ),
    ),
)

# -- a service's tasks ----------------------------------------------------------------------

GENERIC_RESOURCE = Struct(
    "swarm.GenericResource",
    _optional(
        "NamedResourceSpec",
        Pointer(
            Struct(
                "swarm.NamedGenericResource",
                _optional("Kind", STRING),
                _optional("Value", STRING),
            )
        ),
    ),
    _optional(
        "DiscreteResourceSpec",
        Pointer(
            Struct(
                "swarm.DiscreteGenericResource",
                _optional("Kind", STRING),
                _optional("Value", INT64),
            )
        ),
    ),
)

RESOURCE_REQUIREMENTS = Struct(
    "swarm.ResourceRequirements",
    _optional(
        "Limits",
        Pointer(
            Struct(
                "swarm.Limit",
                _optional("NanoCPUs", INT64),
                _optional("MemoryBytes", INT64),
                _optional("Pids", INT64),
            )
        ),
    ),
    _optional(
        "Reservations",
        Pointer(
            Struct(
                "swarm.Resources",
                _optional("NanoCPUs", INT64),
                _optional("MemoryBytes", INT64),
                _optional("GenericResources", List(GENERIC_RESOURCE)),
            )
        ),
    ),
)

RESTART_POLICY = Struct(
    "swarm.RestartPolicy",
    _optional("Condition", text("swarm.RestartPolicyCondition")),
    _optional("Delay", Pointer(DURATION)),
    _optional("MaxAttempts", Pointer(UINT64)),
    _optional("Window", Pointer(DURATION)),
)

PLACEMENT = Struct(
    "swarm.Placement",
    _optional("Constraints", STRINGS),
    _optional(
        "Preferences",
        List(
            Struct(
                "swarm.PlacementPreference",
                Field(
                    "Spread", Pointer(Struct("swarm.SpreadOver", Field("SpreadDescriptor", STRING)))
                ),
            )
        ),
    ),
    _optional("MaxReplicas", UINT64),
    _optional(
        "Platforms",
        List(Struct("swarm.Platform", _optional("Architecture", STRING), _optional("OS", STRING))),
    ),
)

NETWORK_ATTACHMENT = Struct(
    "swarm.NetworkAttachmentConfig",
    _optional("Target", STRING),
    _optional("Aliases", STRINGS),
    _optional("DriverOpts", LABELS),
)

TASK_SPEC = Struct(
    "swarm.TaskSpec",
    _optional("ContainerSpec", Pointer(CONTAINER_SPEC)),
    _optional("PluginSpec", Pointer(Struct("runtime.PluginSpec"))),
    _optional(
        "NetworkAttachmentSpec",
        Pointer(Struct("swarm.NetworkAttachmentSpec", Field("ContainerID", STRING))),
    ),
    _optional("Resources", Pointer(RESOURCE_REQUIREMENTS)),
    _optional("RestartPolicy", Pointer(RESTART_POLICY)),
    _optional("Placement", Pointer(PLACEMENT)),
    _optional("Networks", List(NETWORK_ATTACHMENT)),
    _optional("LogDriver", Pointer(DRIVER)),
    Field("ForceUpdate", UINT64),
    _optional("Runtime", text("swarm.RuntimeType")),
)

# -- services -------------------------------------------------------------------------------

UPDATE_CONFIG = Struct(
    "swarm.UpdateConfig",
    Field("Parallelism", UINT64),
    _optional("Delay", DURATION),
    _optional("FailureAction", STRING),
    _optional("Monitor", DURATION),
    Field("MaxFailureRatio", FLOAT32),
    Field("Order", STRING),
)

PORT_CONFIG = Struct(
    "swarm.PortConfig",
    _optional("Name", STRING),
    _optional("Protocol", text("swarm.PortConfigProtocol")),
    _optional("TargetPort", UINT32),
    _optional("PublishedPort", UINT32),
    _optional("PublishMode", text("swarm.PortConfigPublishMode")),
)

ENDPOINT_SPEC = Struct(
    "swarm.EndpointSpec",
    _optional("Mode", text("swarm.ResolutionMode")),
    _optional("Ports", List(PORT_CONFIG)),
)

SERVICE_MODE = Struct(
    "swarm.ServiceMode",
    _optional(
        "Replicated",
        Pointer(Struct("swarm.ReplicatedService", _optional("Replicas", Pointer(UINT64)))),
    ),
    _optional("Global", Pointer(Struct("swarm.GlobalService"))),
    _optional(
        "ReplicatedJob",
        Pointer(
            Struct(
                "swarm.ReplicatedJob",
                _optional("MaxConcurrent", Pointer(UINT64)),
                _optional("TotalCompletions", Pointer(UINT64)),
            )
        ),
    ),
    _optional("GlobalJob", Pointer(Struct("swarm.GlobalJob"))),
)

SERVICE_SPEC = Struct(
    "swarm.ServiceSpec",
    *ANNOTATIONS,
    _optional("TaskTemplate", TASK_SPEC),
    _optional("Mode", SERVICE_MODE),
    _optional("UpdateConfig", Pointer(UPDATE_CONFIG)),
    _optional("RollbackConfig", Pointer(UPDATE_CONFIG)),
    _optional("Networks", List(NETWORK_ATTACHMENT)),
    _optional("EndpointSpec", Pointer(ENDPOINT_SPEC)),
)

# -- nodes, configs, secrets ----------------------------------------------------------------

NODE_SPEC = Struct(
    "swarm.NodeSpec",
    *ANNOTATIONS,
    _optional("Role", text("swarm.NodeRole")),
    _optional("Availability", text("swarm.NodeAvailability")),
)

CONFIG_SPEC = Struct(
    "swarm.ConfigSpec",
    *ANNOTATIONS,
    _optional("Data", Bytes()),
    _optional("Templating", Pointer(DRIVER)),
)

SECRET_SPEC = Struct(
    "swarm.SecretSpec",
    *ANNOTATIONS,
    _optional("Data", Bytes()),
    _optional("Driver", Pointer(DRIVER)),
    _optional("Templating", Pointer(DRIVER)),
)

# -- networks -------------------------------------------------------------------------------

IPAM = Struct(
    "network.IPAM",
    Field("Driver", STRING),
    Field("Options", LABELS),
    Field(
        "Config",
        List(
            Struct(
                "network.IPAMConfig",
                _optional("Subnet", STRING),
                _optional("IPRange", STRING),
                _optional("Gateway", STRING),
                _optional("AuxiliaryAddresses", LABELS),
            )
        ),
    ),
)

CONFIG_FROM = Struct("network.ConfigReference", Field("Network", STRING))

NETWORK_CREATE = Struct(
    "types.NetworkCreateRequest",
    Field("CheckDuplicate", BOOL),
    Field("Driver", STRING),
    Field("Scope", STRING),
    Field("EnableIPv6", BOOL),
    Field("IPAM", Pointer(IPAM)),
    Field("Internal", BOOL),
    Field("Attachable", BOOL),
    Field("Ingress", BOOL),
    Field("ConfigOnly", BOOL),
    Field("ConfigFrom", Pointer(CONFIG_FROM)),
    Field("Options", LABELS),
    Field("Labels", LABELS),
    Field("Name", STRING),
)

NETWORK_CONNECT = Struct("types.NetworkConnect", Field("Container", STRING))

# -- the swarm itself -----------------------------------------------------------------------

SWARM_SPEC = Struct(
    "swarm.Spec",
    *ANNOTATIONS,
    _optional(
        "Orchestration",
        Struct("swarm.OrchestrationConfig", _optional("TaskHistoryRetentionLimit", Pointer(INT64))),
    ),
    _optional(
        "Raft",
        Struct(
            "swarm.RaftConfig",
            _optional("SnapshotInterval", UINT64),
            _optional("KeepOldSnapshots", Pointer(UINT64)),
            _optional("LogEntriesForSlowFollowers", UINT64),
            Field("ElectionTick", INT),
            Field("HeartbeatTick", INT),
        ),
    ),
    _optional(
        "Dispatcher", Struct("swarm.DispatcherConfig", _optional("HeartbeatPeriod", DURATION))
    ),
    _optional(
        "CAConfig",
        Struct(
            "swarm.CAConfig",
            _optional("NodeCertExpiry", DURATION),
            _optional(
                "ExternalCAs",
                List(
                    Pointer(
                        Struct(
                            "swarm.ExternalCA",
                            Field("Protocol", text("swarm.ExternalCAProtocol")),
                            Field("URL", STRING),
                            _optional("Options", LABELS),
                            Field("CACert", STRING),
                        )
                    )
                ),
            ),
            _optional("SigningCACert", STRING),
            _optional("SigningCAKey", STRING),
            _optional("ForceRotate", UINT64),
        ),
    ),
    _optional(
        "TaskDefaults", Struct("swarm.TaskDefaults", _optional("LogDriver", Pointer(DRIVER)))
    ),
    _optional(
        "EncryptionConfig", Struct("swarm.EncryptionConfig", Field("AutoLockManagers", BOOL))
    ),
)

INIT_REQUEST = Struct(
    "swarm.InitRequest",
    Field("ListenAddr", STRING),
    Field("AdvertiseAddr", STRING),
    Field("DataPathAddr", STRING),
    Field("DataPathPort", UINT32),
    Field("ForceNewCluster", BOOL),
    Field("Spec", SWARM_SPEC),
    Field("AutoLockManagers", BOOL),
    Field("Availability", text("swarm.NodeAvailability")),
    Field("DefaultAddrPool", STRINGS),
    Field("SubnetSize", UINT32),
)

JOIN_REQUEST = Struct(
    "swarm.JoinRequest",
    Field("ListenAddr", STRING),
    Field("AdvertiseAddr", STRING),
    Field("DataPathAddr", STRING),
    Field("RemoteAddrs", STRINGS),
    Field("JoinToken", STRING),
    Field("Availability", text("swarm.NodeAvailability")),
)

UNLOCK_REQUEST = Struct("swarm.UnlockRequest", Field("UnlockKey", STRING))
