// profiles writes the seven profiles of a small service into the folder named
// by -o: heap, allocs, cpu, goroutine, mutex, block, threadcreate; heap2 is a
// second heap profile, when there are more records; and heap.txt,
// goroutine1.txt, ... are the text forms.
package main

import (
	"bytes"
	"compress/flate"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"
)

type record struct {
	key   string
	value []byte
}

type store struct {
	mu      sync.Mutex
	records map[string]*record
}

func (s *store) put(key string, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[key] = newRecord(key, size)
	busy(50 * time.Microsecond)
}

func newRecord(key string, size int) *record {
	return &record{key: strings.Repeat(key, 3), value: makeValue(size)}
}

// makeValue is small enough to be inlined.
func makeValue(size int) []byte { return make([]byte, size) }

// collect has type parameters; their names are not in profiles.
func collect(keys map[string]*record, less func(a, b string) bool) []string {
	var list []string
	for key := range keys {
		list = append(list, key)
	}
	sort.Slice(list, func(i, j int) bool { return less(list[i], list[j]) })
	return list
}

//go:noinline
func busy(d time.Duration) (n int) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		n++
	}
	return n
}

//go:noinline
func compress(data []byte) int {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 6)
	w.Write(data)
	w.Close()
	return out.Len()
}

func recurse(depth int, data []byte) int {
	if depth == 0 {
		return compress(data)
	}
	return recurse(depth-1, data) + depth
}

func worker(s *store, id int, jobs <-chan int, done *sync.WaitGroup) {
	defer done.Done()
	for job := range jobs {
		labels := pprof.Labels("worker", fmt.Sprint(id%2), "kind", []string{"small", "large"}[job%2])
		pprof.Do(context.Background(), labels, func(context.Context) {
			s.put(fmt.Sprintf("key%d", job), 512*(1+job%7))
			recurse(job%4, bytes.Repeat([]byte("profile"), 2000))
		})
	}
}

func run(s *store, count int) {
	jobs := make(chan int)
	var done sync.WaitGroup
	for id := 0; id < 4; id++ {
		done.Add(1)
		go worker(s, id, jobs, &done)
	}
	for job := 0; job < count; job++ {
		jobs <- job
	}
	close(jobs)
	done.Wait()
}

func write(folder, name, file string, debug int) {
	f, err := os.Create(filepath.Join(folder, file))
	if err != nil {
		panic(err)
	}
	if err := pprof.Lookup(name).WriteTo(f, debug); err != nil {
		panic(err)
	}
	f.Close()
}

func main() {
	folder := flag.String("o", "", "write the profiles into this `folder`")
	flag.Parse()
	runtime.MemProfileRate = 4096
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	runtime.GOMAXPROCS(4)

	cpu, err := os.Create(filepath.Join(*folder, "cpu.pb.gz"))
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		panic(err)
	}
	s := &store{records: map[string]*record{}}
	run(s, 600)
	pprof.StopCPUProfile()
	cpu.Close()

	stop := make(chan bool)
	for i := 0; i < 3; i++ {
		labels := pprof.Labels("waiter", fmt.Sprint(i))
		pprof.Do(context.Background(), labels, func(context.Context) {
			go func() { <-stop }()
		})
	}
	go func() { select {} }()
	time.Sleep(10 * time.Millisecond)
	runtime.GC()
	write(*folder, "heap", "heap.pb.gz", 0)
	write(*folder, "heap", "heap.txt", 1)
	write(*folder, "allocs", "allocs.pb.gz", 0)
	write(*folder, "goroutine", "goroutine.pb.gz", 0)
	write(*folder, "goroutine", "goroutine1.txt", 1)
	write(*folder, "goroutine", "goroutine2.txt", 2)
	write(*folder, "mutex", "mutex.pb.gz", 0)
	write(*folder, "mutex", "mutex.txt", 1)
	write(*folder, "block", "block.pb.gz", 0)
	write(*folder, "threadcreate", "threadcreate.pb.gz", 0)
	write(*folder, "threadcreate", "threadcreate.txt", 1)
	run(s, 900)
	keys := collect(s.records, func(a, b string) bool { return a < b })
	runtime.GC()
	write(*folder, "heap", "heap2.pb.gz", 0)
	runtime.KeepAlive(s)
	fmt.Fprintln(os.Stderr, len(keys), "records")
	close(stop)
}
