// Steady is a healthy service: requests come in at a rate it can bear, four
// workers handle them side by side, hold a lock briefly, allocate little, read
// a file; a background goroutine reports now and then. Nothing is to be found.
package main

import (
	"os"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const (
	requests = 120
	workers  = 4
)

func main() { rec.Main(run) }

func run() {
	config, err := os.CreateTemp("", "gotrace-steady")
	if err != nil {
		rec.Fail("%v", err)
	}
	defer os.Remove(config.Name())
	defer config.Close()
	if _, err := config.Write(make([]byte, 2048)); err != nil {
		rec.Fail("%v", err)
	}
	s := &service{config: config, seen: map[int]int{}}
	stop := make(chan struct{})
	var wg, reporter sync.WaitGroup
	reporter.Add(1)
	go func() {
		defer reporter.Done()
		s.report(stop)
	}()
	queue := make(chan int, 16)
	for w := 0; w < workers; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for id := range queue {
				s.handle(id)
			}
		}()
	}
	// Two requests at a time, then a moment without any.
	for id := 0; id < requests; id += 2 {
		queue <- id
		queue <- id + 1
		time.Sleep(time.Millisecond)
	}
	close(queue)
	wg.Wait()
	close(stop)
	reporter.Wait()
}

type service struct {
	config *os.File
	mu     sync.Mutex
	seen   map[int]int
}

func (s *service) handle(id int) {
	buffer := make([]byte, 512)
	if id%10 == 0 {
		if _, err := s.config.ReadAt(buffer, 0); err != nil {
			rec.Fail("%v", err)
		}
	}
	rec.Spin(300 * time.Microsecond)
	s.mu.Lock()
	s.seen[id%8]++
	s.mu.Unlock()
}

func (s *service) report(stop <-chan struct{}) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.mu.Lock()
			total := 0
			for _, n := range s.seen {
				total += n
			}
			s.mu.Unlock()
		case <-stop:
			return
		}
	}
}
