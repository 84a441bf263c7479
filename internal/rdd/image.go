package rdd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"sync"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// Functions and types by their place in the program's image.
//
// A Go function value points to an object whose first word is the address of the code; what the function captures follows.
// A function that captures nothing has one such object, which the linker puts into the read-only data of the program. Its
// distance from another object of the image is the same in every process of the same program, wherever the image was
// loaded, so it names the function. A closure's object is on the heap: far outside the image, which is how it is told.
// The descriptor of a type that the program mentions lies in the image in the same way; that is how generic operators
// travel: the descriptor of mapOp[string, int] names the instance.
//
// Whoever takes a name from another process has checked that it runs the same build; name and place are compared besides.

// anchor is the object of the image from which distances are counted.
func anchor() {}

var anchorFunc = anchor

func objectOf(f *func()) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(f)) }

var imageSize = sync.OnceValue(func() uintptr {
	const usual = 1 << 30
	path, err := os.Executable()
	if err != nil {
		return usual
	}
	info, err := os.Stat(path)
	if err != nil {
		return usual
	}
	return uintptr(info.Size()) + 1<<20
})

// imageSum tells programs and their builds apart: a digest of the program's file, as it was when this process began.
func imageSum() ([]byte, error) {
	sum, err := fileSum()
	if err != nil {
		return nil, fmt.Errorf("the file of this program cannot be read: %w", err)
	}
	return bytes.Clone(sum), nil
}

var fileSum = sync.OnceValues(func() ([]byte, error) {
	f, err := os.Open("/proc/self/exe") // also if the file was replaced
	if err != nil {
		path, perr := os.Executable()
		if perr != nil {
			return nil, errors.Join(err, perr)
		}
		if f, err = os.Open(path); err != nil {
			return nil, err
		}
	}
	h := xxh3.New()
	_, err = io.Copy(h, f)
	sum := h.Sum128().Bytes()
	return sum[:], errors.Join(err, f.Close())
})

// placeOf is the distance of an object from the anchor; ok is false for what does not lie in the image.
func placeOf(p unsafe.Pointer) (place int64, ok bool) {
	d := int64(uintptr(p)) - int64(uintptr(objectOf(&anchorFunc)))
	n := int64(imageSize())
	return d, p != nil && d > -n && d < n
}

func objectAt(place int64) unsafe.Pointer { return unsafe.Add(objectOf(&anchorFunc), int(place)) }

// ClosureError says that a function value captures variables and cannot go to another process.
type ClosureError struct{ Name string }

func (e *ClosureError) Error() string {
	return fmt.Sprintf("%s captures variables of this process, so it cannot run on executors: use a function that captures nothing and pass "+
		"values as arguments (MapWith and its like) or by Broadcast. A function literal inside a generic function captures its type arguments", e.Name)
}

// Captures says whether a function value is a closure over variables.
func Captures(f any) bool {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.IsNil() {
		return false
	}
	_, ok := placeOf(funcObject(v))
	return !ok
}

// funcObject is the object that a function value points to.
func funcObject(v reflect.Value) unsafe.Pointer {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return *(*unsafe.Pointer)(p.UnsafePointer())
}

func nameOf(object unsafe.Pointer) string {
	pc := *(*uintptr)(object)
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Name()
	}
	return "an unknown function"
}

// typeObject is the descriptor of a type.
func typeObject(t reflect.Type) unsafe.Pointer {
	x := reflect.Zero(t).Interface()
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&x))[0]
}

// typeAt is the type whose descriptor lies at a place.
func typeAt(place int64) reflect.Type {
	var x any
	(*[2]unsafe.Pointer)(unsafe.Pointer(&x))[0] = objectAt(place)
	return reflect.TypeOf(x)
}

// localTypes are the types that were made while the program ran: values of them can be encoded and decoded within this
// process only.
var localTypes struct {
	sync.Mutex
	ids  map[reflect.Type]uint64
	list []reflect.Type
}

func localID(t reflect.Type) uint64 {
	l := &localTypes
	l.Lock()
	defer l.Unlock()
	id, ok := l.ids[t]
	if !ok {
		if l.ids == nil {
			l.ids = map[reflect.Type]uint64{}
		}
		id = uint64(len(l.list))
		l.ids[t], l.list = id, append(l.list, t)
	}
	return id
}

func localType(id uint64) (reflect.Type, bool) {
	localTypes.Lock()
	defer localTypes.Unlock()
	if id >= uint64(len(localTypes.list)) {
		return nil, false
	}
	return localTypes.list[id], true
}
