package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Pool is the memory budget of a process: execution (what tasks reserve) and storage (cached blocks, broadcasts) share it.
//
// Of N open task accounts each may hold up to 1/N of the budget, less what storage protects, and is always granted its
// 1/2N (in equal parts by its operators): a newcomer is not refused because earlier tasks took all. Those find themselves above their share at their
// next request and spill then; until they do the pool is overdrawn, by at most half of the budget.
type Pool struct {
	mu        sync.Mutex
	budget    int64
	key       string
	protected int64 // of storage, against execution
	exec      int64
	yielding  int64 // part of exec
	storage   int64
	peak      int64
	tasks     int               // open accounts that count for the fair share
	holders   map[*Account]bool // that hold something
	evict     []func(n int64) int64
}

// Config describes a pool. Budget is in bytes; Key names the setting that made it, for error texts. StorageFraction
// is the part of the budget that cached blocks keep when tasks want memory.
type Config struct {
	Budget          int64
	Key             string
	StorageFraction float64
}

// NewPool makes a pool.
func NewPool(c Config) *Pool {
	return &Pool{budget: c.Budget, key: c.Key, protected: int64(float64(c.Budget) * c.StorageFraction), holders: map[*Account]bool{}}
}

// OnEvict adds a function by which storage gives memory back: asked for n bytes it drops blocks, calls
// ReleaseStorage for them and returns the bytes freed. It is called without the pool's lock, by the task that needs memory;
// where there are several, those that were added first give first.
func (p *Pool) OnEvict(f func(n int64) int64) {
	p.mu.Lock()
	p.evict = append(p.evict, f)
	p.mu.Unlock()
}

// Evict has storage give n bytes back, if it has them, and says how many it gave.
func (p *Pool) Evict(n int64) (freed int64) {
	p.mu.Lock()
	evict := p.evict
	p.mu.Unlock()
	for _, f := range evict {
		if freed < n {
			freed += f(n - freed)
		}
	}
	return freed
}

// Usage is a snapshot of a pool in bytes.
type Usage struct{ Budget, Execution, Storage, Peak int64 }

// Usage tells how the budget is spent.
func (p *Pool) Usage() Usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Usage{p.budget, p.exec, p.storage, p.peak}
}

// Consumer is what all operators of a name hold together.
type Consumer struct {
	Operator string
	Holders  int
	Bytes    int64
}

// String is such as "HashJoin 12.0 MiB" or "Sort 30.5 MiB in 2 places".
func (c Consumer) String() string {
	text := c.Operator + " " + formatBytes(c.Bytes)
	if c.Holders > 1 {
		text += fmt.Sprintf(" in %d places", c.Holders)
	}
	return text
}

// cachedBlocks is how storage are called among the consumers.
const cachedBlocks = "cached blocks"

// Consumers are those who hold most, at most n.
func (p *Pool) Consumers(n int) []Consumer {
	by := map[string]*Consumer{}
	p.mu.Lock()
	if p.storage > 0 {
		by[cachedBlocks] = &Consumer{cachedBlocks, 1, p.storage}
	}
	for a := range p.holders {
		for _, r := range a.list {
			if r.held <= 0 {
				continue
			}
			c := by[r.operator]
			if c == nil {
				c = &Consumer{Operator: r.operator}
				by[r.operator] = c
			}
			c.Holders, c.Bytes = c.Holders+1, c.Bytes+r.held
		}
	}
	p.mu.Unlock()
	out := make([]Consumer, 0, len(by))
	for _, c := range by {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Consumer) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Operator, b.Operator))
	})
	return out[:min(n, len(out))]
}

// GrowStorage takes n bytes for cached blocks if they are free.
func (p *Pool) GrowStorage(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exec+p.storage+n > p.budget {
		return false
	}
	p.storage += n
	p.notePeak()
	return true
}

// ReleaseStorage gives n bytes of cached blocks back.
func (p *Pool) ReleaseStorage(n int64) {
	p.mu.Lock()
	p.storage -= n
	p.mu.Unlock()
}

func (p *Pool) notePeak() { p.peak = max(p.peak, p.exec+p.storage) }

// Account opens the account of a task. Name is for error texts, e.g. "task 3.0 in stage 1.0".
func (p *Pool) Account(name string) *Account {
	p.mu.Lock()
	p.tasks++
	p.mu.Unlock()
	return &Account{pool: p, name: name, task: true}
}

// Shared opens an account for what outlives a task: map outputs, broadcasts and join tables of a process. It does
// not count among the tasks and may hold whatever is free.
func (p *Pool) Shared(name string) *Account { return &Account{pool: p, name: name} }

// Yielding opens a shared account for what could lie on disk as well: map outputs. All of these together hold at most half
// of the budget, so that those who come later, tasks that read the outputs and join tables, which cannot give way, find room.
func (p *Pool) Yielding(name string) *Account { return &Account{pool: p, name: name, yields: true} }

// Account is the sum of what one task (or one shared holder) keeps. Its methods may be called by several goroutines.
type Account struct {
	pool   *Pool
	name   string
	task   bool
	yields bool
	held   int64 // all that follows is guarded by pool.mu
	peak   int64
	list   []*Reservation
	closed bool
}

// Reserve opens a reservation for an operator of the account's task.
func (a *Account) Reserve(operator string) *Reservation {
	r := &Reservation{account: a, operator: operator}
	a.pool.mu.Lock()
	a.list = append(a.list, r)
	a.pool.mu.Unlock()
	return r
}

// Held and Peak are bytes now and at most.
func (a *Account) Held() int64 { a.pool.mu.Lock(); defer a.pool.mu.Unlock(); return a.held }
func (a *Account) Peak() int64 { a.pool.mu.Lock(); defer a.pool.mu.Unlock(); return a.peak }

// Close ends the account. It is an internal error, naming the operators, if something is still reserved; what is
// left is given back all the same. A second Close does nothing.
func (a *Account) Close() error {
	p := a.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	var left string
	for _, r := range a.list {
		if n := r.held; n != 0 {
			left += r.operator + " " + formatBytes(n) + "; "
			p.release(r, n)
		}
	}
	if a.task {
		p.tasks--
	}
	if left != "" {
		return sparkerr.New("INTERNAL_ERROR_MEMORY", "message", "memory of "+a.name+" was not given back: "+left)
	}
	return nil
}

// Reservation is what one operator keeps. It belongs to one goroutine at a time.
type Reservation struct {
	account  *Account
	operator string
	held     int64
}

// Bytes is what the reservation holds.
func (r *Reservation) Bytes() int64 { return r.held }

// TryGrow takes n more bytes if they are to be had, without an error otherwise.
func (r *Reservation) TryGrow(n int64) bool {
	p := r.account.pool
	p.mu.Lock()
	ok := p.grant(r, n)
	need := p.evictable(n)
	p.mu.Unlock()
	if ok || need <= 0 || p.Evict(need) == 0 {
		return ok
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.grant(r, n)
}

// grant books n bytes to r if the rules allow; the lock is held.
func (p *Pool) grant(r *Reservation, n int64) bool {
	a := r.account
	if n > 0 && !p.allows(r, n) {
		return false
	}
	p.book(r, n)
	a.peak = max(a.peak, a.held)
	p.notePeak()
	return true
}

// allows decides about n more bytes for r. A task's operators share what the task may have: each is sure of an equal
// part of half of it, which the others leave free for it.
func (p *Pool) allows(r *Reservation, n int64) bool {
	a, free := r.account, p.budget-p.exec-p.storage
	if a.yields && p.yielding+n > p.budget/2 {
		return false
	}
	if !a.task {
		return n <= free
	}
	share := (p.budget - min(p.storage, p.protected)) / int64(max(p.tasks, 1))
	sure := share / int64(2*len(a.list))
	if r.held+n <= sure {
		return true
	}
	claimed := r.held + n
	for _, o := range a.list {
		if o != r {
			claimed += max(o.held, sure)
		}
	}
	return claimed <= share && n <= free
}

// evictable is how much storage should give way for n more bytes; the lock is held.
func (p *Pool) evictable(n int64) int64 {
	return min(n-(p.budget-p.exec-p.storage), p.storage-p.protected)
}

// Grow takes n more bytes or fails with UNABLE_TO_ACQUIRE_MEMORY.
func (r *Reservation) Grow(n int64) error {
	if r.TryGrow(n) {
		return nil
	}
	return r.refused(n)
}

// GrowOrSpill takes n more bytes. Refused, it calls spill, which moves what the operator holds to disk and shrinks
// this reservation, and asks again, as long as spill frees something. spill may be nil: nothing can be spilled.
func (r *Reservation) GrowOrSpill(ctx context.Context, n int64, spill func(context.Context) error) error {
	for !r.TryGrow(n) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		before := r.held
		if spill == nil || before == 0 {
			return r.refused(n)
		}
		if err := spill(ctx); err != nil {
			return err
		}
		if r.held >= before {
			return r.refused(n)
		}
	}
	return nil
}

// Resize makes the reservation n bytes: growing may be refused, shrinking never is.
func (r *Reservation) Resize(ctx context.Context, n int64, spill func(context.Context) error) error {
	if n <= r.held {
		r.Shrink(r.held - n)
		return nil
	}
	return r.GrowOrSpill(ctx, n-r.held, spill)
}

// Shrink gives n bytes back, at most all.
func (r *Reservation) Shrink(n int64) {
	n = min(n, r.held)
	if n == 0 {
		return
	}
	p := r.account.pool
	p.mu.Lock()
	p.release(r, n)
	p.mu.Unlock()
}

// release takes n bytes off r's books; the lock is held.
func (p *Pool) release(r *Reservation, n int64) {
	p.book(r, -n)
}

// book adds n bytes to r; the lock is held.
func (p *Pool) book(r *Reservation, n int64) {
	a := r.account
	if n == 0 {
		return
	}
	if a.held == 0 {
		p.holders[a] = true
	}
	r.held += n
	a.held += n
	p.exec += n
	if a.yields {
		p.yielding += n
	}
	if a.held == 0 {
		delete(p.holders, a)
	}
}

// Release gives all back.
func (r *Reservation) Release() { r.Shrink(r.held) }

// Transfer moves n bytes to another reservation of the same pool without asking: the rows change their keeper.
func (r *Reservation) Transfer(to *Reservation, n int64) {
	p := r.account.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	n = min(n, r.held)
	p.book(r, -n)
	p.book(to, n)
	to.account.peak = max(to.account.peak, to.account.held)
}
