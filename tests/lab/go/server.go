package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
)

func (p *plan) serve() {
	listener, err := net.Listen("tcp", p.endpoint())
	must(err)
	config := p.serverConfig()
	for {
		connection, err := listener.Accept()
		must(err)
		go p.provide(connection, config)
	}
}

func (p *plan) serverConfig() *tls.Config {
	config := p.config()
	config.Certificates = []tls.Certificate{p.Identity.load()}
	config.ClientAuth = map[string]tls.ClientAuthType{
		"none":     tls.NoClientCert,
		"optional": tls.VerifyClientCertIfGiven,
		"required": tls.RequireAndVerifyClientCert,
	}[p.Auth]
	if p.Auth != "none" {
		config.ClientCAs = pool(p.ClientCA)
	}
	if p.CRL != "" {
		config.VerifyPeerCertificate = revocation(p.CRL)
	}
	config.SessionTicketsDisabled = p.Tickets != nil && *p.Tickets == 0
	return config
}

// revocation refuses what a list revokes: crypto/tls leaves lists to its users.
func revocation(file string) func([][]byte, [][]*x509.Certificate) error {
	text, err := os.ReadFile(file)
	must(err)
	block, _ := pem.Decode(text)
	if block == nil {
		must(errors.New("no PEM in " + file))
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	must(err)
	return func(_ [][]byte, chains [][]*x509.Certificate) error {
		for _, chain := range chains {
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(chain[0].SerialNumber) == 0 {
					return errors.New("certificate revoked")
				}
			}
		}
		return nil
	}
}

// restless has other goroutines run before each read, so that a handshake goes on on another thread than it began on.
type restless struct{ net.Conn }

func (r restless) Read(buffer []byte) (int, error) {
	runtime.Gosched()
	return r.Conn.Read(buffer)
}

func (p *plan) provide(transport net.Conn, config *tls.Config) {
	defer transport.Close()
	must(transport.SetDeadline(p.deadline()))
	connection := tls.Server(restless{transport}, config)
	r := report{Port: transport.RemoteAddr().(*net.TCPAddr).Port}
	defer func() { r.print() }()
	if err := connection.Handshake(); err != nil {
		r.failed(err)
		r.PeerCertificate = p.received(err)
		return
	}
	state := connection.ConnectionState()
	r.Completed, r.Resumed = true, &state.DidResume
	// A resumed session has the certificate of the one before.
	if came := len(state.PeerCertificates) > 0; !state.DidResume {
		r.PeerCertificate = &came
	}
	if err := p.answer(connection); err != nil {
		r.failed(err)
	}
	connection.Close()
}

// received tells whether a client certificate came over a handshake that failed; nil where that is not to be known.
func (p *plan) received(err error) *bool {
	var invalid *tls.CertificateVerificationError
	came := errors.As(err, &invalid) || err.Error() == "certificate revoked"
	if came || p.Auth == "none" || strings.Contains(err.Error(), "didn't provide a certificate") {
		return &came
	}
	return nil
}

func (p *plan) answer(connection *tls.Conn) error {
	if p.Service == "closes" {
		return nil
	}
	reply, buffer := []byte(p.Reply), make([]byte, 4096)
	if p.Service == "speaks_first" {
		if _, err := connection.Write(reply); err != nil {
			return err
		}
	}
	if count, err := connection.Read(buffer); count == 0 {
		return unlessEnd(err)
	}
	if _, err := connection.Write(reply); err != nil {
		return err
	}
	for {
		if _, err := connection.Read(buffer); err != nil {
			return unlessEnd(err)
		}
	}
}
