# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of Consul 1.22.7 as its decoder takes them: every struct with its fields and their types (pure data).

Read from Consul's own definitions by reflection (``agent/structs``, ``agent/consul/state``, ``raftchunking`` and
``coordinate``). A line is a struct and its fields, each ``Name=type``; an indented line goes on with it. The types:

=========  ==============================================================================================
``s x``    text, bytes (msgpack's raw; Consul's encoder writes both alike)
``b``      true or false
``u32`` …  a whole number of that many bits, ``u`` without and ``i`` with a sign
``f32`` …  a float
``t``      a point in time, as Go encodes it
``[T``     a list of T
``{K:T``   a map
``?``      anything
``Name``   a struct
=========  ==============================================================================================

Every one of them may be nil, which is the type's zero value.
"""

from __future__ import annotations

VERSION = "1.22.7"

TYPES = """
0=RegisterRequest 2=DirEntry 3=Session 5=DirEntry 6=[StructsCoordinate 7=PreparedQuery 9=AutopilotConfig 12=Intention
13=CARoot 14=CAConsulProviderState 15=CAConfiguration 16=IndexEntry 17=ACLToken 19=ACLPolicy 23=ACLRole
25=ACLBindingRule 27=ACLAuthMethod 29=State 30=FederationStateRequest 31=SystemMetadataEntry 33=FreeVirtualIP
"""
"""What a record of a type is, by the type's number."""

KINDS = """
api-gateway=APIGatewayConfigEntry bound-api-gateway=BoundAPIGatewayConfigEntry
exported-services=ExportedServicesConfigEntry file-system-certificate=FileSystemCertificateConfigEntry
http-route=HTTPRouteConfigEntry ingress-gateway=IngressGatewayConfigEntry
inline-certificate=InlineCertificateConfigEntry jwt-provider=JWTProviderConfigEntry mesh=MeshConfigEntry
proxy-defaults=ProxyConfigEntry sameness-group=SamenessGroupConfigEntry service-defaults=ServiceConfigEntry
service-intentions=ServiceIntentionsConfigEntry service-resolver=ServiceResolverConfigEntry
service-router=ServiceRouterConfigEntry service-splitter=ServiceSplitterConfigEntry tcp-route=TCPRouteConfigEntry
terminating-gateway=TerminatingGatewayConfigEntry
"""
"""What a config entry is, by its kind."""

STRUCTS = """
ACLAuthMethod Config={s:? CreateIndex=u64 Description=s DisplayName=s MaxTokenTTL=i64 ModifyIndex=u64 Name=s
  TokenLocality=s TokenNameFormat=s Type=s
ACLBindingRule AuthMethod=s BindName=s BindType=s BindVars=ACLTemplatedPolicyVariables CreateIndex=u64 Description=s
  ID=s ModifyIndex=u64 Selector=s
ACLNodeIdentity Datacenter=s NodeName=s
ACLPolicy CreateIndex=u64 Datacenters=[s Description=s Hash=x ID=s ModifyIndex=u64 Name=s Rules=s
ACLRole CreateIndex=u64 Description=s Hash=x ID=s ModifyIndex=u64 Name=s NodeIdentities=[ACLNodeIdentity
  Policies=[ACLRolePolicyLink ServiceIdentities=[ACLServiceIdentity TemplatedPolicies=[ACLTemplatedPolicy
ACLRolePolicyLink ID=s Name=s
ACLServiceIdentity Datacenters=[s ServiceName=s
ACLTemplatedPolicy Datacenters=[s TemplateID=s TemplateName=s TemplateVariables=ACLTemplatedPolicyVariables
ACLTemplatedPolicyVariables Name=s
ACLToken AccessorID=s AuthMethod=s CreateIndex=u64 CreateTime=t Description=s ExpirationTTL=i64 ExpirationTime=t
  Hash=x Local=b ModifyIndex=u64 Name=s NodeIdentities=[ACLNodeIdentity Policies=[ACLTokenPolicyLink
  Roles=[ACLTokenRoleLink SecretID=s ServiceIdentities=[ACLServiceIdentity TemplatedPolicies=[ACLTemplatedPolicy
ACLTokenPolicyLink ID=s Name=s
ACLTokenRoleLink ID=s Name=s
APIGatewayConfigEntry CreateIndex=u64 Hash=u64 Kind=s Listeners=[APIGatewayListener Meta={s:s ModifyIndex=u64 Name=s
  Status=Status
APIGatewayJWTRequirement
APIGatewayListener Default=APIGatewayPolicy Hostname=s MaxRequestHeadersKB=u32 Name=s Override=APIGatewayPolicy
  Port=i64 Protocol=s TLS=APIGatewayTLSConfiguration
APIGatewayPolicy JWT=APIGatewayJWTRequirement
APIGatewayTLSConfiguration Certificates=[ResourceReference CipherSuites=[s MaxVersion=s MinVersion=s
AccessLogsConfig DisableListenerLogs=b Enabled=b JSONFormat=s Path=s TextFormat=s Type=s
AutopilotConfig CleanupDeadServers=b CreateIndex=u64 DisableUpgradeMigration=b LastContactThreshold=i64
  MaxTrailingLogs=u64 MinQuorum=u64 ModifyIndex=u64 RedundancyZoneTag=s ServerStabilizationTime=i64
  UpgradeVersionTag=s
BoundAPIGatewayConfigEntry CreateIndex=u64 Hash=u64 Kind=s Listeners=[BoundAPIGatewayListener Meta={s:s
  ModifyIndex=u64 Name=s Services={ServiceName:[ResourceReference
BoundAPIGatewayListener Certificates=[ResourceReference Name=s Routes=[ResourceReference
CAConfiguration ClusterID=s Config={s:? CreateIndex=u64 ForceWithoutCrossSigning=b ModifyIndex=u64 Provider=s
  State={s:s
CAConsulProviderState CreateIndex=u64 ID=s IntermediateCert=s ModifyIndex=u64 PrivateKey=s RootCert=s
CARoot Active=b CreateIndex=u64 ExternalTrustDomain=s ID=s IntermediateCerts=[s ModifyIndex=u64 Name=s NotAfter=t
  NotBefore=t PrivateKeyBits=i64 PrivateKeyType=s RootCert=s RotatedOutAt=t SerialNumber=u64 SigningCert=s
  SigningKey=s SigningKeyID=s
CheckServiceNode Checks=[HealthCheck Node=Node Service=NodeService
CheckType AliasNode=s AliasService=s Body=s CheckID=s DeregisterCriticalServiceAfter=i64 DisableRedirects=b
  DockerContainerID=s FailuresBeforeCritical=i64 FailuresBeforeWarning=i64 GRPC=s GRPCUseTLS=b H2PING=s H2PingUseTLS=b
  HTTP=s Header={s:[s Interval=i64 Method=s Name=s Notes=s OSService=s OutputMaxSize=i64 ProxyGRPC=s ProxyHTTP=s
  ScriptArgs=[s Shell=s Status=s SuccessBeforePassing=i64 TCP=s TCPUseTLS=b TLSServerName=s TLSSkipVerify=b TTL=i64
  Timeout=i64 UDP=s
ChunkInfo Data=x NumChunks=u32 OpNum=u64 SequenceNum=u32 Term=u64
Condition LastTransitionTime=t Message=s Reason=s Resource=ResourceReference Status=s Type=s
ConnectProxyConfig AccessLogs=AccessLogsConfig Config={s:? DestinationServiceID=s DestinationServiceName=s
  EnvoyExtensions=[EnvoyExtension Expose=ExposeConfig LocalServiceAddress=s LocalServicePort=i64
  LocalServiceSocketPath=s MeshGateway=MeshGatewayConfig Mode=s MutualTLSMode=s
  TransparentProxy=TransparentProxyConfig Upstreams=[Upstream
CookieConfig Path=s Session=b TTL=i64
CoordinateCoordinate Adjustment=f64 Error=f64 Height=f64 Vec=[f64
DestinationConfig Addresses=[s Port=i64
DirEntry CreateIndex=u64 Flags=u64 Key=s LockIndex=u64 ModifyIndex=u64 Session=s Value=x
EnvoyExtension Arguments={s:? ConsulVersion=s EnvoyVersion=s Name=s Required=b
ExportedService Consumers=[ServiceConsumer Name=s Namespace=s
ExportedServicesConfigEntry CreateIndex=u64 Hash=u64 Meta={s:s ModifyIndex=u64 Name=s Services=[ExportedService
ExposeConfig Checks=b Paths=[ExposePath
ExposePath ListenerPort=i64 LocalPathPort=i64 ParsedFromCheck=b Path=s Protocol=s
FederationState CreateIndex=u64 Datacenter=s MeshGateways=[CheckServiceNode ModifyIndex=u64 PrimaryModifyIndex=u64
  UpdatedAt=t
FederationStateRequest Datacenter=s Op=s State=FederationState Token=s
FileSystemCertificateConfigEntry Certificate=s CreateIndex=u64 Hash=u64 Kind=s Meta={s:s ModifyIndex=u64 Name=s
  PrivateKey=s
FreeVirtualIP IP=x IsCounter=b
GatewayServiceTLSConfig SDS=GatewayTLSSDSConfig
GatewayTLSConfig CipherSuites=[s Enabled=b SDS=GatewayTLSSDSConfig TLSMaxVersion=s TLSMinVersion=s
GatewayTLSSDSConfig CertResource=s ClusterName=s
HTTPFilters Headers=[HTTPHeaderFilter JWT=JWTFilter RetryFilter=RetryFilter TimeoutFilter=TimeoutFilter
  URLRewrite=URLRewrite
HTTPHeaderFilter Add={s:s Remove=[s Set={s:s
HTTPHeaderMatch Match=s Name=s Value=s
HTTPHeaderModifiers Add={s:s Remove=[s Set={s:s
HTTPMatch Headers=[HTTPHeaderMatch Method=s Path=HTTPPathMatch Query=[HTTPQueryMatch
HTTPPathMatch Match=s Value=s
HTTPQueryMatch Match=s Name=s Value=s
HTTPResponseFilters Headers=[HTTPHeaderFilter
HTTPRouteConfigEntry CreateIndex=u64 Hash=u64 Hostnames=[s Kind=s Meta={s:s ModifyIndex=u64 Name=s
  Parents=[ResourceReference Rules=[HTTPRouteRule Status=Status
HTTPRouteRule Filters=HTTPFilters Matches=[HTTPMatch ResponseFilters=HTTPResponseFilters Services=[HTTPService
HTTPService Filters=HTTPFilters Name=s ResponseFilters=HTTPResponseFilters Weight=i64
HashPolicy CookieConfig=CookieConfig Field=s FieldValue=s SourceIP=b Terminal=b
HealthCheck CheckID=s CreateIndex=u64 Definition=HealthCheckDefinition ExposedPort=i64 Interval=s ModifyIndex=u64
  Name=s Node=s Notes=s Output=s PeerName=s ServiceID=s ServiceName=s ServiceTags=[s Status=s Timeout=s Type=s
HealthCheckDefinition AliasNode=s AliasService=s Body=s DeregisterCriticalServiceAfter=i64 DisableRedirects=b
  DockerContainerID=s GRPC=s GRPCUseTLS=b H2PING=s H2PingUseTLS=b HTTP=s Header={s:[s Interval=i64 Method=s
  OSService=s OutputMaxSize=u64 ScriptArgs=[s SessionName=s Shell=s TCP=s TCPUseTLS=b TLSServerName=s TLSSkipVerify=b
  TTL=i64 Timeout=i64 UDP=s
IndexEntry Key=s Value=u64
IngressGatewayConfigEntry CreateIndex=u64 Defaults=IngressServiceConfig Hash=u64 Kind=s Listeners=[IngressListener
  Meta={s:s ModifyIndex=u64 Name=s TLS=GatewayTLSConfig
IngressListener Port=i64 Protocol=s Services=[IngressService TLS=GatewayTLSConfig
IngressService Hosts=[s MaxConcurrentRequests=u32 MaxConnections=u32 MaxPendingRequests=u32 Meta={s:s Name=s
  PassiveHealthCheck=PassiveHealthCheck RequestHeaders=HTTPHeaderModifiers ResponseHeaders=HTTPHeaderModifiers
  TLS=GatewayServiceTLSConfig
IngressServiceConfig MaxConcurrentRequests=u32 MaxConnections=u32 MaxPendingRequests=u32
  PassiveHealthCheck=PassiveHealthCheck
InlineCertificateConfigEntry Certificate=s CreateIndex=u64 Hash=u64 Kind=s Meta={s:s ModifyIndex=u64 Name=s
  PrivateKey=s
InstanceLevelRateLimits RequestsMaxBurst=i64 RequestsPerSecond=i64 Routes=[InstanceLevelRouteRateLimits
InstanceLevelRouteRateLimits PathExact=s PathPrefix=s PathRegex=s RequestsMaxBurst=i64 RequestsPerSecond=i64
Intention Action=s CreateIndex=u64 CreatedAt=t DefaultAddr=s DefaultPort=i64 Description=s DestinationNS=s
  DestinationName=s DestinationPartition=s Hash=x ID=s JWT=IntentionJWTRequirement Meta={s:s ModifyIndex=u64
  Permissions=[IntentionPermission Precedence=i64 SourceNS=s SourceName=s SourcePartition=s SourcePeer=s
  SourceSamenessGroup=s SourceType=s UpdatedAt=t
IntentionHTTPHeaderPermission Contains=s Exact=s IgnoreCase=b Invert=b Name=s Prefix=s Present=b Regex=s Suffix=s
IntentionHTTPPermission Header=[IntentionHTTPHeaderPermission Methods=[s PathExact=s PathPrefix=s PathRegex=s
IntentionJWTClaimVerification Path=[s Value=s
IntentionJWTProvider Name=s VerifyClaims=[IntentionJWTClaimVerification
IntentionJWTRequirement Providers=[IntentionJWTProvider
IntentionPermission Action=s HTTP=IntentionHTTPPermission JWT=IntentionJWTRequirement
JSONWebKeySet Local=LocalJWKS Remote=RemoteJWKS
JWKSCluster ConnectTimeout=i64 DiscoveryType=s TLSCertificates=JWKSTLSCertificate
JWKSRetryPolicy NumRetries=i64 RetryPolicyBackOff=RetryPolicyBackOff
JWKSTLSCertProviderInstance CertificateName=s InstanceName=s
JWKSTLSCertTrustedCA EnvironmentVariable=s Filename=s InlineBytes=x InlineString=s
JWKSTLSCertificate CaCertificateProviderInstance=JWKSTLSCertProviderInstance TrustedCA=JWKSTLSCertTrustedCA
JWTCacheConfig Size=i64
JWTFilter
JWTForwardingConfig HeaderName=s PadForwardPayloadHeader=b
JWTLocation Cookie=JWTLocationCookie Header=JWTLocationHeader QueryParam=JWTLocationQueryParam
JWTLocationCookie Name=s
JWTLocationHeader Forward=b Name=s ValuePrefix=s
JWTLocationQueryParam Name=s
JWTProviderConfigEntry Audiences=[s CacheConfig=JWTCacheConfig ClockSkewSeconds=i64 CreateIndex=u64
  Forwarding=JWTForwardingConfig Hash=u64 Issuer=s JSONWebKeySet=JSONWebKeySet Kind=s Locations=[JWTLocation Meta={s:s
  ModifyIndex=u64 Name=s
LeastRequestConfig ChoiceCount=u32
LinkedService CAFile=s CertFile=s DisableAutoHostRewrite=b KeyFile=s Name=s SNI=s
LoadBalancer HashPolicies=[HashPolicy LeastRequestConfig=LeastRequestConfig Policy=s RingHashConfig=RingHashConfig
LocalJWKS Filename=s JWKS=s
Locality Region=s Zone=s
MeshConfigEntry AllowEnablingPermissiveMutualTLS=b CreateIndex=u64 HTTP=MeshHTTPConfig Hash=u64 Meta={s:s
  ModifyIndex=u64 Peering=PeeringMeshConfig TLS=MeshTLSConfig TransparentProxy=TransparentProxyMeshConfig
  ValidateClusters=b
MeshDirectionalHTTPConfig RequestNormalization=RequestNormalizationMeshConfig
MeshDirectionalTLSConfig CipherSuites=[s TLSMaxVersion=s TLSMinVersion=s
MeshGatewayConfig Mode=s
MeshHTTPConfig Incoming=MeshDirectionalHTTPConfig SanitizeXForwardedClientCert=b
MeshTLSConfig Incoming=MeshDirectionalTLSConfig Outgoing=MeshDirectionalTLSConfig
Node Address=s CreateIndex=u64 Datacenter=s ID=s Locality=Locality Meta={s:s ModifyIndex=u64 Node=s Partition=s
  PeerName=s TaggedAddresses={s:s
NodeService Address=s Connect=ServiceConnect CreateIndex=u64 EnableTagOverride=b ID=s Kind=s Locality=Locality
  LocallyRegisteredAsSidecar=b Meta={s:s ModifyIndex=u64 PeerName=s Port=i64 Ports=[ServicePort
  Proxy=ConnectProxyConfig Service=s SocketPath=s TaggedAddresses={s:ServiceAddress Tags=[s Weights=Weights
PassiveHealthCheck BaseEjectionTime=i64 EnforcingConsecutive5xx=u32 Interval=i64 MaxEjectionPercent=u32
  MaxFailures=u32
PeeringMeshConfig PeerThroughMeshGateways=b
PeeringServiceMeta Protocol=s SNI=[s SpiffeID=[s
PreparedQuery CreateIndex=u64 DNS=QueryDNSOptions ID=s ModifyIndex=u64 Name=s Service=ServiceQuery Session=s
  Template=QueryTemplateOptions Token=s
ProxyConfigEntry AccessLogs=AccessLogsConfig Config={s:? CreateIndex=u64 EnvoyExtensions=[EnvoyExtension
  Expose=ExposeConfig FailoverPolicy=ServiceResolverFailoverPolicy Hash=u64 Kind=s MeshGateway=MeshGatewayConfig
  Meta={s:s Mode=s ModifyIndex=u64 MutualTLSMode=s Name=s PrioritizeByLocality=ServiceResolverPrioritizeByLocality
  Protocol=s TransparentProxy=TransparentProxyConfig
QueryDNSOptions TTL=s
QueryFailoverOptions Datacenters=[s NearestN=i64 Targets=[QueryFailoverTarget
QueryFailoverTarget Datacenter=s Peer=s
QueryTemplateOptions Regexp=s RemoveEmptyTags=b Type=s
RateLimits InstanceLevel=InstanceLevelRateLimits
RegisterRequest Address=s Check=HealthCheck Checks=[HealthCheck CreateIndex=u64 Datacenter=s ID=s Locality=Locality
  ModifyIndex=u64 Node=s NodeMeta={s:s PeerName=s Service=NodeService SkipNodeUpdate=b TaggedAddresses={s:s Token=s
RemoteJWKS CacheDuration=i64 FetchAsynchronously=b JWKSCluster=JWKSCluster RequestTimeoutMs=i64
  RetryPolicy=JWKSRetryPolicy URI=s UseSNI=b
RequestNormalizationMeshConfig HeadersWithUnderscoresAction=s InsecureDisablePathNormalization=b MergeSlashes=b
  PathWithEscapedSlashesAction=s
ResourceReference Kind=s Name=s SectionName=s
RetryFilter NumRetries=u32 RetryOn=[s RetryOnConnectFailure=b RetryOnStatusCodes=[u32
RetryPolicyBackOff BaseInterval=i64 MaxInterval=i64
RingHashConfig MaximumRingSize=u64 MinimumRingSize=u64
SamenessGroupConfigEntry CreateIndex=u64 DefaultForFailover=b Hash=u64 IncludeLocal=b Members=[SamenessGroupMember
  Meta={s:s ModifyIndex=u64 Name=s
SamenessGroupMember Partition=s Peer=s
ServiceAddress Address=s Port=i64
ServiceCheck ID=s Namespace=s
ServiceConfigEntry BalanceInboundConnections=s CreateIndex=u64 Destination=DestinationConfig
  EnvoyExtensions=[EnvoyExtension Expose=ExposeConfig ExternalSNI=s Hash=u64 Kind=s LocalConnectTimeoutMs=i64
  LocalRequestTimeoutMs=i64 MaxInboundConnections=i64 MaxRequestHeadersKB=u32 MeshGateway=MeshGatewayConfig Meta={s:s
  Mode=s ModifyIndex=u64 MutualTLSMode=s Name=s Protocol=s RateLimits=RateLimits
  TransparentProxy=TransparentProxyConfig UpstreamConfig=UpstreamConfiguration
ServiceConnect Native=b PeerMeta=PeeringServiceMeta SidecarService=ServiceDefinition
ServiceConsumer Partition=s Peer=s SamenessGroup=s
ServiceDefinition Address=s Check=CheckType Checks=[CheckType Connect=ServiceConnect EnableTagOverride=b ID=s Kind=s
  Locality=Locality Meta={s:s Name=s Port=i64 Ports=[ServicePort Proxy=ConnectProxyConfig SocketPath=s
  TaggedAddresses={s:ServiceAddress Tags=[s Token=s Weights=Weights
ServiceIntentionsConfigEntry CreateIndex=u64 Hash=u64 JWT=IntentionJWTRequirement Kind=s Meta={s:s ModifyIndex=u64
  Name=s Sources=[SourceIntention
ServiceName Name=s
ServicePort Default=b Name=s Port=i64
ServiceQuery Connect=b Failover=QueryFailoverOptions IgnoreCheckIDs=[s Near=s NodeMeta={s:s OnlyPassing=b Peer=s
  SamenessGroup=s Service=s ServiceMeta={s:s Tags=[s
ServiceResolverConfigEntry ConnectTimeout=i64 CreateIndex=u64 DefaultSubset=s Failover={s:ServiceResolverFailover
  Hash=u64 Kind=s LoadBalancer=LoadBalancer Meta={s:s ModifyIndex=u64 Name=s
  PrioritizeByLocality=ServiceResolverPrioritizeByLocality Redirect=ServiceResolverRedirect RequestTimeout=i64
  Subsets={s:ServiceResolverSubset
ServiceResolverFailover Datacenters=[s Namespace=s Policy=ServiceResolverFailoverPolicy SamenessGroup=s Service=s
  ServiceSubset=s Targets=[ServiceResolverFailoverTarget
ServiceResolverFailoverPolicy Mode=s Regions=[s
ServiceResolverFailoverTarget Datacenter=s Namespace=s Partition=s Peer=s Service=s ServiceSubset=s
ServiceResolverPrioritizeByLocality Mode=s
ServiceResolverRedirect Datacenter=s Namespace=s Partition=s Peer=s SamenessGroup=s Service=s ServiceSubset=s
ServiceResolverSubset Filter=s OnlyPassing=b
ServiceRoute Destination=ServiceRouteDestination Match=ServiceRouteMatch
ServiceRouteDestination IdleTimeout=i64 Namespace=s NumRetries=u32 Partition=s PrefixRewrite=s
  RequestHeaders=HTTPHeaderModifiers RequestTimeout=i64 ResponseHeaders=HTTPHeaderModifiers RetryOn=[s
  RetryOnConnectFailure=b RetryOnStatusCodes=[u32 Service=s ServiceSubset=s
ServiceRouteHTTPMatch CaseInsensitive=b Header=[ServiceRouteHTTPMatchHeader Methods=[s PathExact=s PathPrefix=s
  PathRegex=s QueryParam=[ServiceRouteHTTPMatchQueryParam
ServiceRouteHTTPMatchHeader Exact=s Invert=b Name=s Prefix=s Present=b Regex=s Suffix=s
ServiceRouteHTTPMatchQueryParam Exact=s Name=s Present=b Regex=s
ServiceRouteMatch HTTP=ServiceRouteHTTPMatch
ServiceRouterConfigEntry CreateIndex=u64 Hash=u64 Kind=s Meta={s:s ModifyIndex=u64 Name=s Routes=[ServiceRoute
ServiceSplit Namespace=s Partition=s RequestHeaders=HTTPHeaderModifiers ResponseHeaders=HTTPHeaderModifiers Service=s
  ServiceSubset=s Weight=f32
ServiceSplitterConfigEntry CreateIndex=u64 Hash=u64 Kind=s Meta={s:s ModifyIndex=u64 Name=s Splits=[ServiceSplit
Session Behavior=s Checks=[s CreateIndex=u64 ID=s LockDelay=i64 ModifyIndex=u64 Name=s Node=s NodeChecks=[s
  ServiceChecks=[ServiceCheck TTL=s
SourceIntention Action=s Description=s LegacyCreateTime=t LegacyID=s LegacyMeta={s:s LegacyUpdateTime=t Name=s Peer=s
  Permissions=[IntentionPermission Precedence=i64 SamenessGroup=s Type=s
State ChunkMap={u64:[ChunkInfo
Status Conditions=[Condition
StructsCoordinate Coord=CoordinateCoordinate Node=s Partition=s Segment=s
SystemMetadataEntry CreateIndex=u64 Key=s ModifyIndex=u64 Value=s
TCPRouteConfigEntry CreateIndex=u64 Hash=u64 Kind=s Meta={s:s ModifyIndex=u64 Name=s Parents=[ResourceReference
  Services=[TCPService Status=Status
TCPService Name=s
TerminatingGatewayConfigEntry CreateIndex=u64 Hash=u64 Kind=s Meta={s:s ModifyIndex=u64 Name=s Services=[LinkedService
TimeoutFilter IdleTimeout=i64 RequestTimeout=i64
TransparentProxyConfig DialedDirectly=b OutboundListenerPort=i64
TransparentProxyMeshConfig MeshDestinationsOnly=b
URLRewrite Path=s
Upstream CentrallyConfigured=b Config={s:? Datacenter=s DestinationName=s DestinationNamespace=s
  DestinationPartition=s DestinationPeer=s DestinationType=s IngressHosts=[s LocalBindAddress=s LocalBindPort=i64
  LocalBindSocketMode=s LocalBindSocketPath=s MeshGateway=MeshGatewayConfig
UpstreamConfig BalanceOutboundConnections=s ConnectTimeoutMs=i64 EnvoyClusterJSON=s EnvoyListenerJSON=s
  Limits=UpstreamLimits MeshGateway=MeshGatewayConfig Name=s PassiveHealthCheck=PassiveHealthCheck Peer=s Protocol=s
UpstreamConfiguration Defaults=UpstreamConfig Overrides=[UpstreamConfig
UpstreamLimits MaxConcurrentRequests=i64 MaxConnections=i64 MaxPendingRequests=i64
Weights Passing=i64 Warning=i64
"""
