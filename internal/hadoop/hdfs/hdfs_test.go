package hdfs

import (
	"testing"

	"github.com/firesteel/firesteel/internal/hadoop/pb/pbtest"
)

func TestMessages(t *testing.T) {
	pbtest.Check(t, map[string]any{
		"FsPermissionProto": &permission{}, "ExtendedBlockProto": &extendedBlock{}, "DatanodeIDProto": &datanodeID{}, "DatanodeInfoProto": &datanode{},
		"LocatedBlockProto": &locatedBlock{}, "FileEncryptionInfoProto": &encryptionInfo{}, "ErasureCodingPolicyProto": &codingPolicy{},
		"LocatedBlocksProto": &locatedBlocks{}, "HdfsFileStatusProto": &fileStatus{}, "GetFileInfoRequestProto": &srcRequest{},
		"GetFileInfoResponseProto": &statusResponse{}, "GetListingRequestProto": &listingRequest{}, "DirectoryListingProto": &listing{},
		"GetListingResponseProto": &listingResponse{}, "GetBlockLocationsRequestProto": &locationsRequest{},
		"GetBlockLocationsResponseProto": &locationsResponse{}, "FsServerDefaultsProto": &serverDefaults{}, "GetServerDefaultsResponseProto": &defaultsResponse{},
		"CreateRequestProto": &createRequest{}, "AddBlockRequestProto": &addBlockRequest{}, "AddBlockResponseProto": &addBlockResponse{},
		"AbandonBlockRequestProto": &abandonRequest{}, "CompleteRequestProto": &completeRequest{}, "CompleteResponseProto": &boolResponse{},
		"Rename2RequestProto": &renameRequest{}, "DeleteRequestProto": &deleteRequest{}, "MkdirsRequestProto": &mkdirsRequest{},
		"RenewLeaseRequestProto": &leaseRequest{}, "SetPermissionRequestProto": &setPermissionRequest{}, "SetReplicationRequestProto": &setReplicationRequest{},
		"GetDelegationTokenRequestProto": &delegationRequest{}, "GetDelegationTokenResponseProto": &delegationResponse{},
		"BaseHeaderProto": &baseHeader{}, "ClientOperationHeaderProto": &operationHeader{}, "OpReadBlockProto": &readBlock{}, "ChecksumProto": &checksumKind{},
		"OpWriteBlockProto": &writeBlock{}, "PacketHeaderProto": &packetHeader{}, "PipelineAckProto": &pipelineAck{}, "ReadOpChecksumInfoProto": &readChecksum{},
		"BlockOpResponseProto": &opResponse{}, "ClientReadStatusProto": &readStatus{}, "DataTransferEncryptorMessageProto": &encryptorMessage{},
	})
}

func TestSplit(t *testing.T) {
	for path, want := range map[string][2]string{
		"//nn:8020/a/b": {"nn:8020", "/a/b"}, "///a/": {"", "/a"}, "/a": {"", "/a"}, "//nn": {"nn", "/"}, "//nn/": {"nn", "/"}, "///": {"", "/"},
	} {
		if a, r := split(path); a != want[0] || r != want[1] {
			t.Errorf("%s: %q %q", path, a, r)
		}
	}
}
