package evidence

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
)

// Version names the form of [Seal].
const Version = "gatehouse.evidence.v1"

// Seal is the last line of a file.
type Seal struct {
	Version string `json:"evidence"`
	// Bytes is how many stand before the seal.
	Bytes int64 `json:"bytes"`
	// Manifest is that of the export, byte for byte as it was hashed.
	Manifest string `json:"manifest"`
	// PublicKey is what checkpoints are checked with, unless another one is given.
	PublicKey string `json:"public_key"`
	// Proofs are that of the export's completion, and then those of runs.
	Proofs []Proof `json:"proofs"`
}

// Proof shows that an audit event is in the log that a checkpoint signs.
type Proof struct {
	EventID string `json:"event_id"`
	// Leaf is what the log holds of the event; see [auditlog.Leaf].
	Leaf   string   `json:"leaf"`
	Entry  int64    `json:"entry"`
	Hashes [][]byte `json:"hashes"`
	// Checkpoint is a signed note.
	Checkpoint string `json:"checkpoint"`
}

// Line returns the seal as the last line of a file. There is one way to write a
// seal, so that every other one is found.
func (s Seal) Line() ([]byte, error) {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("encode the seal: %w", err)
	}
	return line.Bytes(), nil
}

// parseSeal reads the last line of a file.
func parseSeal(line []byte) (s Seal, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, errors.New("its last line is no seal: the file is not evidence, or was cut off")
	}
	if s.Version != Version {
		return s, fmt.Errorf("its last line is no seal of the form %s", Version)
	}
	again, err := s.Line()
	if err != nil {
		return s, err
	}
	if !bytes.Equal(line, again) {
		return s, errors.New("its seal is not written as seals are: it was changed")
	}
	if len(s.Proofs) == 0 {
		return s, errors.New("its seal proves nothing")
	}
	return s, nil
}

// openKey reads a public key in the one way to write it.
func openKey(text string) (note.Verifier, error) {
	key, err := note.NewVerifier(text)
	if err != nil {
		return nil, errors.New("its public key is none")
	}
	if name, rest, ok := strings.Cut(text, "+"); !ok || name != key.Name() || !strings.HasPrefix(rest, fmt.Sprintf("%08x+", key.KeyHash())) {
		return nil, errors.New("its public key is not written as keys are: it was changed")
	}
	return key, nil
}

// openCheckpoint reads a signed note that has one signature, by the key, and is
// written in the one way to write it: base64 has several for some bytes.
func openCheckpoint(signed string, key note.Verifier) (auditlog.Checkpoint, error) {
	c, err := auditlog.OpenCheckpoint(signed, key)
	if err != nil {
		return c, err
	}
	n, err := note.Open([]byte(signed), note.VerifierList(key))
	if err != nil {
		return c, err
	}
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return c, errors.New("it has other signatures beside that of the key")
	}
	raw, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return c, err
	}
	if signed != n.Text+"\n— "+n.Sigs[0].Name+" "+base64.StdEncoding.EncodeToString(raw)+"\n" {
		return c, errors.New("it is not written as checkpoints are: it was changed")
	}
	return c, nil
}

// check computes the way from the leaf to the checkpoint's root.
func (p Proof) check(key note.Verifier) (auditlog.Checkpoint, error) {
	c, err := openCheckpoint(p.Checkpoint, key)
	if err != nil {
		return c, fmt.Errorf("the checkpoint of %s: %w", p.EventID, err)
	}
	way := make(tlog.RecordProof, len(p.Hashes))
	for i, h := range p.Hashes {
		if len(h) != tlog.HashSize {
			return c, fmt.Errorf("the proof of %s has a hash of %d bytes", p.EventID, len(h))
		}
		way[i] = tlog.Hash(h)
	}
	if err := tlog.CheckRecord(way, c.Size, c.Root, p.Entry, tlog.RecordHash([]byte(p.Leaf))); err != nil {
		return c, fmt.Errorf("%s is not in the log that its checkpoint signs: event, place or proof were changed", p.EventID)
	}
	return c, nil
}
