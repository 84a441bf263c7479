package driver

import (
	"testing"
	"testing/synctest"

	"github.com/firesteel/firesteel/internal/event"
)

// A stuck listener loses events, and learns how many; the publisher and the others do not notice.
func TestBusDropsForSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBus(3)
		release := make(chan struct{})
		var slow []event.Event
		fast := 0
		s := b.Subscribe(func(e event.Event) { <-release; slow = append(slow, e) })
		b.Subscribe(func(event.Event) { fast++ })
		for i := range 10 {
			b.Publish(event.UnpersistRDD{RDD: event.RDDID(i)})
			synctest.Wait()
		}
		close(release)
		b.Drain()
		b.Publish(event.UnpersistRDD{RDD: 99})
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if fast != 11 {
			t.Errorf("the fast listener got %d", fast)
		}
		// One was being handled, three waited, six were lost.
		if len(slow) != 6 || slow[4] != (event.Dropped{Count: 6}) || slow[5] != (event.UnpersistRDD{RDD: 99}) || s.Dropped() != 6 {
			t.Errorf("the slow listener got %v, lost %d", slow, s.Dropped())
		}
	})
}

func TestBusListenerPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBus(0)
		n := 0
		s := b.Subscribe(func(e event.Event) {
			if n++; n == 1 {
				panic("misbehaved")
			}
		})
		b.Publish(event.UnpersistRDD{})
		b.Publish(event.UnpersistRDD{})
		b.Drain()
		if n != 2 || s.Panics() != 1 {
			t.Errorf("%d events, %d panics", n, s.Panics())
		}
		s.Close()
		b.Publish(event.UnpersistRDD{})
		if b.Active() {
			t.Error("active without listeners")
		}
		if err := b.Close(t.Context()); err != nil || n != 2 {
			t.Errorf("after close: %v, %d events", err, n)
		}
	})
}
