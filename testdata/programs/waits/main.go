// Waits blocks goroutines in ways that only the stack tells apart: a TLS
// handshake, a name lookup, a full connection, a database's pool of
// connections, a sync.Map, a Once; and a mutex wanted inside a Once, which
// is a mutex.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const pause = 3 * time.Millisecond

func main() {
	certificate := selfSigned()
	rec.Main(func() {
		handshake(certificate)
		lookup()
		fullConnection()
		database()
		syncMap()
		mutexInOnce()
	})
}

func check(err error) {
	if err != nil {
		rec.Fail("%v", err)
	}
}

func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// pair gives both ends of a connection over the loopback.
func pair() (net.Conn, net.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listener.Close()
	accepted := make(chan net.Conn)
	go func() {
		conn, err := listener.Accept()
		check(err)
		accepted <- conn
	}()
	time.Sleep(pause)
	conn, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	return conn, <-accepted
}

// handshake: the client waits for a server that begins late.
func handshake(certificate tls.Certificate) {
	a, b := pair()
	done := make(chan struct{})
	go func() {
		defer close(done)
		client := tls.Client(a, &tls.Config{InsecureSkipVerify: true})
		check(client.Handshake())
		client.Close()
	}()
	time.Sleep(pause)
	server := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{certificate}})
	check(server.Handshake())
	<-done
	server.Close()
}

// lookup: the name server is ours, and says nothing until it is given up.
func lookup() {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	defer server.Close()
	resolver := &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
		},
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*pause)
	defer cancel()
	if _, err := resolver.LookupHost(ctx, "name.invalid."); err == nil {
		rec.Fail("a name was found that cannot be")
	}
}

// fullConnection: nobody reads until the writer has had to wait.
func fullConnection() {
	a, b := pair()
	go func() {
		time.Sleep(4 * pause)
		io.Copy(io.Discard, b)
		b.Close()
	}()
	_, err := a.Write(make([]byte, 8<<20))
	check(err)
	a.Close()
}

// database: one connection for three goroutines, each of which keeps it a moment.
func database() {
	sql.Register("slow", slowDriver{})
	db, err := sql.Open("slow", "")
	check(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	var wg sync.WaitGroup
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := db.Exec("")
			check(err)
		}()
	}
	wg.Wait()
}

type slowDriver struct{}
type slowConn struct{}

func (slowDriver) Open(string) (driver.Conn, error) { return slowConn{}, nil }
func (slowConn) Close() error                       { return nil }
func (slowConn) Begin() (driver.Tx, error)          { return nil, errors.New("no transactions") }
func (slowConn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("no statements")
}
func (slowConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	time.Sleep(pause)
	return driver.ResultNoRows, nil
}

// slowKey is slow to compare, so that its map is locked long enough.
type slowKey struct {
	text [1 << 16]byte
}

// syncMap: goroutines that want to change the same entries at the same time.
func syncMap() {
	var m sync.Map
	stop := time.Now().Add(40 * time.Millisecond)
	var wg sync.WaitGroup
	for i := 0; i < 16; i++ {
		i := i
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; time.Now().Before(stop); n++ {
				key := new(slowKey)
				key.text[0] = byte(n % 8)
				m.Store(*key, i)
				m.Delete(*key)
			}
		}()
	}
	wg.Wait()
}

// mutexInOnce: the first goroutine waits for a mutex inside the Once, the
// second for the Once.
func mutexInOnce() {
	var mu sync.Mutex
	var once sync.Once
	mu.Lock()
	var wg sync.WaitGroup
	for i := 0; i < 2; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			once.Do(func() {
				lockAndUnlock(&mu)
			})
		}()
	}
	time.Sleep(pause)
	mu.Unlock()
	wg.Wait()
}

//go:noinline
func lockAndUnlock(mu *sync.Mutex) {
	mu.Lock()
	mu.Unlock()
}
