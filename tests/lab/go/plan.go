// Go's crypto/tls as a peer of the laboratory. See ../README.md for the plan and the reports.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// plan is the union of what servers and clients are told.
type plan struct {
	Address, Version, Auth, Cipher, Group, ALPN, CRL string
	Service, Reply, Behaviour, Request               string
	Trusted                                          string
	Port, Count, Patience                            int
	Resume                                           bool
	Tickets                                          *int
	Identity                                         *identity
	ServerName                                       string  `json:"server_name"`
	ClientCA                                         string  `json:"client_ca"`
	IdleSeconds                                      float64 `json:"idle_seconds"`
}

type identity struct{ Chain, Key string }

func (i *identity) load() tls.Certificate {
	certificate, err := tls.LoadX509KeyPair(i.Chain, i.Key)
	must(err)
	return certificate
}

// report is what became of a connection, on one line.
type report struct {
	Port            int    `json:"port"`
	Completed       bool   `json:"completed"`
	Error           string `json:"error,omitempty"`
	Fault           string `json:"fault,omitempty"`
	PeerCertificate *bool  `json:"peer_certificate,omitempty"`
	Requested       *bool  `json:"requested,omitempty"`
	Resumed         *bool  `json:"resumed,omitempty"`
}

var printing sync.Mutex

func (r *report) print() {
	line, err := json.Marshal(r)
	must(err)
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}

// failed notes what ended the connection.
func (r *report) failed(err error) {
	r.Error = err.Error()
	r.Fault = fault(err)
}

func fault(err error) string {
	var remote *net.OpError
	switch {
	case errors.As(err, &remote) && remote.Op == "remote error":
		return "alerted"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timed_out"
	}
	return "refused"
}

func (p *plan) config() *tls.Config {
	config := &tls.Config{}
	if p.ALPN != "" {
		config.NextProtos = []string{p.ALPN}
	}
	switch p.Version {
	case "1.2":
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	case "1.3":
		config.MinVersion, config.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.Name == p.Cipher {
			config.CipherSuites = []uint16{suite.ID}
		}
	}
	groups := map[string]tls.CurveID{"x25519": tls.X25519, "secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384}
	if p.Group != "" {
		config.CurvePreferences = []tls.CurveID{groups[p.Group]}
	}
	return config
}

func pool(file string) *x509.CertPool {
	text, err := os.ReadFile(file)
	must(err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		log.Fatalf("no certificate in %s", file)
	}
	return roots
}

func (p *plan) deadline() time.Time {
	return time.Now().Add(time.Duration(p.Patience) * time.Second)
}

func (p *plan) endpoint() string {
	return net.JoinHostPort(p.Address, fmt.Sprint(p.Port))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	var p plan
	must(json.NewDecoder(strings.NewReader(os.Args[2])).Decode(&p))
	switch os.Args[1] {
	case "server":
		p.serve()
	case "client":
		p.call()
	}
}
