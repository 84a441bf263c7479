package yarn

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/pb/pbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMessages(t *testing.T) {
	pbtest.Check(t, map[string]any{
		"ApplicationIdProto": &ApplicationID{}, "ApplicationAttemptIdProto": &AttemptID{}, "ContainerIdProto": &ContainerID{}, "NodeIdProto": &NodeID{},
		"ResourceProto": &Resource{}, "ResourceInformationProto": &ResourceInfo{}, "PriorityProto": &Priority{}, "URLProto": &URL{},
		"LocalResourceProto": &LocalResource{}, "StringLocalResourceMapProto": &NamedResource{}, "StringStringMapProto": &StringPair{},
		"StringBytesMapProto": &BytesPair{}, "ApplicationACLMapProto": &ACL{}, "ContainerLaunchContextProto": &Launch{},
		"LogAggregationContextProto": &LogAggregation{}, "ApplicationSubmissionContextProto": &Submission{}, "ApplicationReportProto": &Report{},
		"ResourceRequestProto": &ResourceRequest{}, "ContainerProto": &Container{}, "ContainerStatusProto": &ContainerStatus{},
		"NMTokenProto": &NodeToken{}, "NodeReportProto": &NodeReport{}, "PreemptionMessageProto": &Preemption{},
		"StrictPreemptionContractProto": &strictContract{}, "PreemptionContractProto": &negotiableContract{}, "PreemptionContainerProto": &preempted{},
		"RegisterApplicationMasterRequestProto": &registerRequest{}, "RegisterApplicationMasterResponseProto": &Registered{},
		"FinishApplicationMasterRequestProto": &finishRequest{}, "FinishApplicationMasterResponseProto": &finishResponse{},
		"ResourceBlacklistRequestProto": &Blacklist{}, "AllocateRequestProto": &AllocateRequest{}, "AllocateResponseProto": &AllocateResponse{},
		"StartContainerRequestProto": &startRequest{}, "StartContainersRequestProto": &startContainers{}, "ContainerExceptionMapProto": &containerError{},
		"SerializedExceptionProto": &exception{}, "StartContainersResponseProto": &startedContainers{}, "StopContainersRequestProto": &stopContainers{},
		"StopContainersResponseProto": &stoppedContainers{}, "GetNewApplicationResponseProto": &newApplication{}, "SubmitApplicationRequestProto": &submitRequest{},
		"GetApplicationReportRequestProto": &applicationRequest{}, "GetApplicationReportResponseProto": &reportResponse{},
		"KillApplicationRequestProto": &killRequest{}, "KillApplicationResponseProto": &killResponse{}, "GetClusterNodesRequestProto": &nodesRequest{},
		"GetClusterNodesResponseProto": &nodesResponse{}, "GetContainersRequestProto": &containersRequest{}, "ContainerReportProto": &ContainerReport{},
		"GetContainersResponseProto": &containersResponse{}, "GetDelegationTokenRequestProto": &delegationRequest{},
		"GetDelegationTokenResponseProto": &delegationResponse{},
	})
}

func TestIDs(t *testing.T) {
	app := ApplicationID{ID: 12, Timestamp: 1795790000123}
	c := ContainerID{Attempt: &AttemptID{App: &app, Attempt: 2}, ID: 7}
	for text, id := range map[string]ContainerID{
		"container_1795790000123_0012_02_000007":     c,
		"container_e17_1795790000123_0012_02_000007": {Attempt: c.Attempt, ID: 17<<40 | 7},
	} {
		if id.String() != text {
			t.Errorf("%s, want %s", id, text)
		}
		if got, err := ParseContainerID(text); err != nil || got.ID != id.ID || got.Attempt.String() != "appattempt_1795790000123_0012_000002" {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got, err := ParseApplicationID(app.String()); err != nil || got != app || app.String() != "application_1795790000123_0012" {
		t.Errorf("%s: %v, %v", app, got, err)
	}
	for _, bad := range []string{"", "application_1", "application_1_x", "application_1_2_3", "application_-1_2"} {
		if _, err := ParseApplicationID(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, bad := range []string{"", "container_1_2_3", "container_ex_1_2_3_4", "container_e1_1_2_3"} {
		if _, err := ParseContainerID(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestAddresses(t *testing.T) {
	const key = "yarn.resourcemanager.address"
	for _, c := range []struct {
		conf hadoop.Conf
		want []string
	}{
		{hadoop.Conf{}, []string{"0.0.0.0:8032"}},
		{hadoop.Conf{"yarn.resourcemanager.hostname": "rm"}, []string{"rm:8032"}},
		{hadoop.Conf{"yarn.resourcemanager.hostname": "rm", key: "${yarn.resourcemanager.hostname}:9"}, []string{"rm:9"}},
		{hadoop.Conf{"yarn.resourcemanager.ha.enabled": "true", "yarn.resourcemanager.ha.rm-ids": "a, b", "yarn.resourcemanager.hostname.a": "h1",
			key + ".b": "h2:7"}, []string{"h1:8032", "h2:7"}},
	} {
		got := addresses(c.conf, key, clientPort)
		if len(got) != len(c.want) {
			t.Errorf("%v: %v, want %v", c.conf, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%v: %v, want %v", c.conf, got, c.want)
			}
		}
	}
}
