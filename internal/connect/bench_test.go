package connect

import (
	"testing"

	"github.com/google/uuid"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// BenchmarkSmallQuery is what a client does for a query of one row: ExecutePlan, and ReleaseExecute for each response.
func BenchmarkSmallQuery(b *testing.B) {
	c := newClient(b, Options{})
	for b.Loop() {
		r := c.request(sqlPlan("range 1"), true)
		id := uuid.NewString()
		r.OperationId = &id
		ms, err := c.execute(r)
		if err != nil {
			b.Fatal(err)
		}
		<-c.session().started
		for _, m := range ms {
			if _, err := c.ReleaseExecute(b.Context(), &connectpb.ReleaseExecuteRequest{SessionId: c.id, UserContext: c.user(), OperationId: id,
				Release: &connectpb.ReleaseExecuteRequest_ReleaseUntil_{ReleaseUntil: &connectpb.ReleaseExecuteRequest_ReleaseUntil{ResponseId: m.GetResponseId()}}}); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := c.ReleaseExecute(b.Context(), &connectpb.ReleaseExecuteRequest{SessionId: c.id, UserContext: c.user(), OperationId: id,
			Release: &connectpb.ReleaseExecuteRequest_ReleaseAll_{ReleaseAll: &connectpb.ReleaseExecuteRequest_ReleaseAll{}}}); err != nil {
			b.Fatal(err)
		}
	}
}
