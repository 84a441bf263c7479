package hdfs

import "github.com/firesteel/firesteel/internal/hadoop"

// The messages have the fields that are used here; the test checks them against Hadoop's own descriptors.

type permission struct {
	Perm uint32 `pb:"1,req"`
}

type extendedBlock struct {
	Pool       string `pb:"1,req"`
	ID         uint64 `pb:"2,req"`
	Generation uint64 `pb:"3,req"`
	Bytes      uint64 `pb:"4"`
}

type datanodeID struct {
	IP       string `pb:"1,req"`
	Host     string `pb:"2,req"`
	UUID     string `pb:"3,req"`
	XferPort uint32 `pb:"4,req"`
	InfoPort uint32 `pb:"5,req"`
	IPCPort  uint32 `pb:"6,req"`
}

type datanode struct {
	ID       *datanodeID `pb:"1,req"`
	Location string      `pb:"8"`
}

type locatedBlock struct {
	Block        *extendedBlock `pb:"1,req"`
	Offset       uint64         `pb:"2,req"`
	Nodes        []*datanode    `pb:"3"`
	Corrupt      bool           `pb:"4,req"`
	Token        *hadoop.Token  `pb:"5,req"`
	StorageTypes []int32        `pb:"7"`
	StorageIDs   []string       `pb:"8"`
}

type encryptionInfo struct {
	Suite int32 `pb:"1,req"`
}

type codingPolicy struct {
	Name string `pb:"1"`
	ID   uint32 `pb:"4,req"`
}

type locatedBlocks struct {
	Length       uint64          `pb:"1,req"`
	Blocks       []*locatedBlock `pb:"2"`
	Growing      bool            `pb:"3,req"`
	Last         *locatedBlock   `pb:"4"`
	LastComplete bool            `pb:"5,req"`
	Encryption   *encryptionInfo `pb:"6"`
	Coding       *codingPolicy   `pb:"7"`
}

const (
	typeDir     = 1
	typeFile    = 2
	typeSymlink = 3
)

type fileStatus struct {
	Type       int32       `pb:"1,req"`
	Path       []byte      `pb:"2,req"`
	Length     uint64      `pb:"3,req"`
	Permission *permission `pb:"4"`
	Modified   uint64      `pb:"7,req"`
	BlockSize  uint64      `pb:"11"`
	FileID     uint64      `pb:"13"`
}

type srcRequest struct {
	Src string `pb:"1,req"`
}

type statusResponse struct {
	Status *fileStatus `pb:"1"`
}

type listingRequest struct {
	Src   string `pb:"1,req"`
	After []byte `pb:"2,req"`
	Needs bool   `pb:"3,req"`
}

type listing struct {
	Files     []*fileStatus `pb:"1"`
	Remaining uint32        `pb:"2,req"`
}

type listingResponse struct {
	Listing *listing `pb:"1"`
}

type locationsRequest struct {
	Src    string `pb:"1,req"`
	Offset uint64 `pb:"2,req"`
	Length uint64 `pb:"3,req"`
}

type locationsResponse struct {
	Locations *locatedBlocks `pb:"1"`
}

type serverDefaults struct {
	BlockSize        uint64 `pb:"1,req"`
	BytesPerChecksum uint32 `pb:"2,req"`
	PacketSize       uint32 `pb:"3,req"`
	Replication      uint32 `pb:"4,req"`
	Encrypt          bool   `pb:"6"`
	Checksum         int32  `pb:"8"`
}

type defaultsResponse struct {
	Defaults *serverDefaults `pb:"1,req"`
}

type createRequest struct {
	Src          string      `pb:"1,req"`
	Masked       *permission `pb:"2,req"`
	Client       string      `pb:"3,req"`
	Flags        uint32      `pb:"4,req"`
	CreateParent bool        `pb:"5,req"`
	Replication  uint32      `pb:"6,req"`
	BlockSize    uint64      `pb:"7,req"`
}

type addBlockRequest struct {
	Src      string         `pb:"1,req"`
	Client   string         `pb:"2,req"`
	Previous *extendedBlock `pb:"3"`
	Exclude  []*datanode    `pb:"4"`
	FileID   uint64         `pb:"5"`
}

type addBlockResponse struct {
	Block *locatedBlock `pb:"1,req"`
}

type abandonRequest struct {
	Block  *extendedBlock `pb:"1,req"`
	Src    string         `pb:"2,req"`
	Client string         `pb:"3,req"`
	FileID uint64         `pb:"4"`
}

type completeRequest struct {
	Src    string         `pb:"1,req"`
	Client string         `pb:"2,req"`
	Last   *extendedBlock `pb:"3"`
	FileID uint64         `pb:"4"`
}

type boolResponse struct {
	Result bool `pb:"1,req"`
}

type renameRequest struct {
	Src       string `pb:"1,req"`
	Dst       string `pb:"2,req"`
	Overwrite bool   `pb:"3,req"`
}

type deleteRequest struct {
	Src       string `pb:"1,req"`
	Recursive bool   `pb:"2,req"`
}

type mkdirsRequest struct {
	Src          string      `pb:"1,req"`
	Masked       *permission `pb:"2,req"`
	CreateParent bool        `pb:"3,req"`
}

type leaseRequest struct {
	Client string `pb:"1,req"`
}

type setPermissionRequest struct {
	Src  string      `pb:"1,req"`
	Perm *permission `pb:"2,req"`
}

type setReplicationRequest struct {
	Src         string `pb:"1,req"`
	Replication uint32 `pb:"2,req"`
}

type delegationRequest struct {
	Renewer string `pb:"1,req"`
}

type delegationResponse struct {
	Token *hadoop.Token `pb:"1"`
}

type renewRequest struct {
	Token *hadoop.Token `pb:"1,req"`
}

type renewResponse struct {
	Expiry uint64 `pb:"1,req"`
}

type empty struct{}

// Messages of the data transfer protocol.

type baseHeader struct {
	Block *extendedBlock `pb:"1,req"`
	Token *hadoop.Token  `pb:"2"`
}

type operationHeader struct {
	Base   *baseHeader `pb:"1,req"`
	Client string      `pb:"2,req"`
}

type readBlock struct {
	Header *operationHeader `pb:"1,req"`
	Offset uint64           `pb:"2,req"`
	Length uint64           `pb:"3,req"`
	Sums   bool             `pb:"4,req"`
}

type checksumKind struct {
	Type     int32  `pb:"1,req"`
	PerChunk uint32 `pb:"2,req"`
}

type writeBlock struct {
	Header       *operationHeader `pb:"1,req"`
	Targets      []*datanode      `pb:"2"`
	Stage        int32            `pb:"4,req"`
	Pipeline     uint32           `pb:"5,req"`
	MinBytes     uint64           `pb:"6,req"`
	MaxBytes     uint64           `pb:"7,req"`
	Generation   uint64           `pb:"8,req"`
	Checksum     *checksumKind    `pb:"9,req"`
	StorageType  int32            `pb:"11"`
	TargetTypes  []int32          `pb:"12"`
	StorageID    string           `pb:"16"`
	TargetStores []string         `pb:"17"`
}

type packetHeader struct {
	Offset int64 `pb:"1,fixed,req"`
	Seq    int64 `pb:"2,fixed,req"`
	Last   bool  `pb:"3,req"`
	Length int32 `pb:"4,fixed,req"`
}

type pipelineAck struct {
	Seq   int64   `pb:"1,sint,req"`
	Reply []int32 `pb:"2"`
}

type readChecksum struct {
	Kind   *checksumKind `pb:"1,req"`
	Offset uint64        `pb:"2,req"`
}

type opResponse struct {
	Status  int32         `pb:"1,req"`
	BadLink string        `pb:"2"`
	Read    *readChecksum `pb:"4"`
	Message string        `pb:"5"`
}

type readStatus struct {
	Status int32 `pb:"1,req"`
}

type encryptorMessage struct {
	Status  int32  `pb:"1,req"`
	Payload []byte `pb:"2"`
	Message string `pb:"3"`
}
