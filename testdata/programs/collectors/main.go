// Collectors asks for collections from many goroutines at once, which queue up
// for the right to start one, and uses many new sync.Pools at once, which queue
// up for the lock over all pools.
package main

import (
	"runtime"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

func main() {
	rec.Main(func() {
		collect()
		for round := 0; round < 6; round++ {
			pools()
		}
	})
}

// collect: one goroutine's collection ends what the others wait for.
func collect() {
	var all sync.WaitGroup
	for i := 0; i < 3; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			runtime.GC()
		}()
	}
	all.Wait()
}

// pools: the more pools there are, the longer the lock is held when the list of
// them grows; who wants it meanwhile has to wait.
func pools() {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			fresh := make([]sync.Pool, 1000)
			<-start
			for at := range fresh {
				fresh[at].Put(at)
			}
		}()
	}
	time.Sleep(time.Millisecond)
	close(start)
	all.Wait()
}
