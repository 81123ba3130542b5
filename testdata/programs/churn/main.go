// Churn creates 1500 goroutines that live for microseconds: waves of 100,
// each of which adds a little to a sum; in every fifth wave they have to wait
// for a common start.
package main

import (
	"sync"
	"sync/atomic"

	"gotrace.test/programs/rec"
)

const (
	waves = 15
	width = 100
)

func main() { rec.Main(run) }

func run() {
	var sum int64
	for w := 0; w < waves; w++ {
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := 0; i < width; i++ {
			wg.Add(1)
			if w%5 == 4 {
				go func() {
					defer wg.Done()
					<-start
					atomic.AddInt64(&sum, 1)
				}()
			} else {
				go func() {
					defer wg.Done()
					atomic.AddInt64(&sum, 1)
				}()
			}
		}
		close(start)
		wg.Wait()
	}
	if sum != waves*width {
		rec.Fail("%d goroutines ran", sum)
	}
}
