package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issued is a certificate for 127.0.0.1 that signs itself.
type issued struct {
	leaf      *x509.Certificate
	cert, key []byte
}

func issue(t *testing.T, serial int64) issued {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "gatehouse"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return issued{
		leaf: leaf, cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}),
	}
}

// served is a TLS listener and the files of its certificate.
type served struct {
	address, certFile, keyFile string
	log                        *logBuffer
	certificate                *certificate
	// written makes the files' times differ however coarse the file system's are.
	written time.Time
}

func (s *served) write(t *testing.T, path string, text []byte) {
	t.Helper()
	s.written = s.written.Add(time.Second)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	require.NoError(t, os.Chtimes(path, s.written, s.written))
}

func serveTLS(t *testing.T, first issued) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem"), log: &logBuffer{}, written: time.Now()}
	s.write(t, s.certFile, first.cert)
	s.write(t, s.keyFile, first.key)
	var err error
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.certificate, err = openCertificate(s.certFile, s.keyFile, log)
	require.NoError(t, err)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- serveHTTP(ctx, ln, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), s.certificate.config(), log)
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return s
}

// handshake connects and returns what was agreed on.
func (s *served) handshake(t *testing.T, trusted *x509.Certificate, change func(*tls.Config)) (tls.ConnectionState, error) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(trusted)
	config := &tls.Config{RootCAs: roots, NextProtos: []string{"h2", "http/1.1"}}
	change(config)
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	state := conn.(*tls.Conn).ConnectionState()
	return state, conn.Close()
}

func unchanged(*tls.Config) {}

func TestListenerSpeaksHTTP2AndNoOldTLS(t *testing.T) {
	t.Parallel()
	first := issue(t, 1)
	s := serveTLS(t, first)
	roots := x509.NewCertPool()
	roots.AddCert(first.leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.address, nil)
	require.NoError(t, err)
	res, err := transport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 2, res.ProtoMajor)

	for version, accepted := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		state, err := s.handshake(t, first.leaf, func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version })
		if !accepted {
			require.ErrorContains(t, err, "protocol version", tls.VersionName(version))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "h2", state.NegotiatedProtocol)
	}
	state, err := s.handshake(t, first.leaf, func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} })
	require.NoError(t, err)
	require.Equal(t, "http/1.1", state.NegotiatedProtocol)
}

func TestRenewedCertificateNeedsNoRestart(t *testing.T) {
	t.Parallel()
	first, second := issue(t, 1), issue(t, 2)
	s := serveTLS(t, first)
	shown := func(trusted issued) *big.Int {
		state, err := s.handshake(t, trusted.leaf, unchanged)
		require.NoError(t, err)
		return state.PeerCertificates[0].SerialNumber
	}
	require.EqualValues(t, 1, shown(first).Int64())

	// The certificate is there before its key: the former pair goes on.
	s.write(t, s.certFile, second.cert)
	require.EqualValues(t, 1, shown(first).Int64())
	require.EqualValues(t, 1, shown(first).Int64())
	require.Contains(t, s.log.String(), "cannot be used; the former one stays")
	s.write(t, s.keyFile, second.key)
	require.EqualValues(t, 2, shown(second).Int64())
	require.Contains(t, s.log.String(), "was read again")

	s.write(t, s.keyFile, []byte("nonsense"))
	require.EqualValues(t, 2, shown(second).Int64())
	require.NoError(t, os.Remove(s.certFile))
	require.EqualValues(t, 2, shown(second).Int64())
}

// Not parallel: the signal is the process's.
func TestHangupReadsTheCertificateAgain(t *testing.T) {
	first, second := issue(t, 1), issue(t, 2)
	s := serveTLS(t, first)
	loaded := make(chan struct{}, 1)
	s.certificate.log = slog.New(slog.NewTextHandler(notify{loaded}, nil))
	stop := s.certificate.reloadOnHangup(t.Context())
	defer stop()
	require.NoError(t, os.WriteFile(s.certFile, second.cert, 0o600))
	require.NoError(t, os.WriteFile(s.keyFile, second.key, 0o600))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	<-loaded
	state, err := s.handshake(t, second.leaf, unchanged)
	require.NoError(t, err)
	require.EqualValues(t, 2, state.PeerCertificates[0].SerialNumber.Int64())
}

// notify tells of each line that is written.
type notify struct{ lines chan struct{} }

func (n notify) Write(p []byte) (int, error) {
	select {
	case n.lines <- struct{}{}:
	default:
	}
	return len(p), nil
}

func TestCertificateFilesHaveToFit(t *testing.T) {
	t.Parallel()
	dir, a, b := t.TempDir(), issue(t, 1), issue(t, 2)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	log := slog.New(slog.DiscardHandler)
	_, err := openCertificate(cert, key, log)
	require.ErrorContains(t, err, "load the TLS certificate")
	require.NoError(t, os.WriteFile(cert, a.cert, 0o600))
	require.NoError(t, os.WriteFile(key, b.key, 0o600))
	_, err = openCertificate(cert, key, log)
	require.ErrorContains(t, err, "load the TLS certificate")
	none, err := openCertificate("", "", log)
	require.NoError(t, err)
	require.Nil(t, none.config())
	none.reloadOnHangup(t.Context())()
}
