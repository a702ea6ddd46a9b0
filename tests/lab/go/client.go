package main

import (
	"crypto/tls"
	"io"
	"net"
	"time"
)

func (p *plan) call() {
	config := p.config()
	config.RootCAs = pool(p.Trusted)
	config.ServerName = p.ServerName
	if p.Resume {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	var certificate tls.Certificate
	if p.Identity != nil {
		certificate = p.Identity.load()
	}
	for range p.Count {
		p.connect(config.Clone(), &certificate)
	}
}

func (p *plan) connect(config *tls.Config, certificate *tls.Certificate) {
	transport, err := net.Dial("tcp", p.endpoint())
	must(err)
	defer transport.Close()
	must(transport.SetDeadline(p.deadline()))
	requested := false
	// It is shown whatever CAs the server names, as it is by clients that do not choose between several.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		requested = true
		return certificate, nil
	}
	connection := tls.Client(transport, config)
	r := report{Port: transport.LocalAddr().(*net.TCPAddr).Port}
	defer func() { r.print() }()
	err = connection.Handshake()
	if err == nil || requested {
		// A client that refuses the server's certificate never comes to look at the request before it.
		r.Requested = &requested
	}
	if err != nil {
		r.failed(err)
		return
	}
	resumed := connection.ConnectionState().DidResume
	r.Completed, r.Resumed = true, &resumed
	if err := p.behave(connection); err != nil {
		r.failed(err)
	}
	connection.Close()
}

func (p *plan) behave(connection *tls.Conn) error {
	switch p.Behaviour {
	case "requests":
		if _, err := connection.Write([]byte(p.Request)); err != nil {
			return err
		}
		_, err := connection.Read(make([]byte, 4096))
		return err
	case "idles":
		time.Sleep(time.Duration(p.IdleSeconds * float64(time.Second)))
	}
	return nil
}

// unlessEnd is nil for the ordinary end of a connection.
func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
