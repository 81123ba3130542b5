// Http talks to its own HTTP server over loopback: goroutines of net/http,
// network waits, keep-alive connections, a request that is given up by its
// context, and a graceful shutdown.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const (
	clients  = 3
	requests = 6
)

func main() { rec.Main(run) }

func run() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		rec.Fail("%v", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/fast", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "here you are")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(3 * time.Millisecond):
			fmt.Fprintln(w, "sorry to keep you waiting")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // the client gives up
	})
	server := &http.Server{Handler: mux}
	go server.Serve(ln)

	base := "http://" + ln.Addr().String()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	client := &http.Client{Transport: transport}
	var wg sync.WaitGroup
	for i := 0; i < clients; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < requests; j++ {
				path := "/fast"
				if j%3 == 2 {
					path = "/slow"
				}
				get(client, base+path, time.Second)
			}
		}()
	}
	wg.Wait()
	get(client, base+"/never", 10*time.Millisecond)
	transport.CloseIdleConnections()
	server.Shutdown(context.Background())
}

func get(client *http.Client, url string, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		rec.Fail("%v", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return // gave up
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}
