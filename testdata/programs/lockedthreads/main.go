// Lockedthreads passes a token between two goroutines that are both locked to
// their threads (as GUI and some C libraries want it): each time the system has
// to switch threads, and meanwhile one is ready to run and procs are idle.
package main

import (
	"runtime"
	"sync"

	"gotrace.test/programs/rec"
)

const rounds = 500

func main() { rec.Main(run) }

func run() {
	there, back := make(chan int), make(chan int)
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		runtime.LockOSThread()
		for i := 0; i < rounds; i++ {
			there <- i
			<-back
		}
		close(there)
	}()
	go func() {
		defer wg.Done()
		runtime.LockOSThread()
		for i := range there {
			back <- i
		}
	}()
	wg.Wait()
}
