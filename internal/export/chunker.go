package export

import (
	"crypto/sha256"
	"hash"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// chunker cuts what is written into chunks and hashes it.
type chunker struct {
	put  func(c Chunk) error
	most int64
	hash hash.Hash
	buf  []byte
	// next is the number of the chunk that buf becomes.
	next int64
	size int64
	rows int64
}

func newChunker(most int64, put func(c Chunk) error) *chunker {
	return &chunker{put: put, most: most, hash: sha256.New(), buf: make([]byte, 0, ChunkSize)}
}

// Write takes bytes; whole chunks are put at once.
func (c *chunker) Write(p []byte) (int, error) {
	written := len(p)
	if c.size+int64(written) > c.most {
		return 0, fault.New(fault.TooLarge, "the file would be larger than %d MiB; narrow the export, or ask the operator for more (--exports-max-bytes)", c.most>>20)
	}
	c.size += int64(written)
	c.hash.Write(p)
	for len(p) > 0 {
		n := min(len(p), ChunkSize-len(c.buf))
		c.buf, p = append(c.buf, p[:n]...), p[n:]
		if len(c.buf) == ChunkSize {
			if err := c.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

// flush puts what is left.
func (c *chunker) flush() error {
	if len(c.buf) == 0 {
		return nil
	}
	err := c.put(Chunk{Number: c.next, Bytes: c.buf, Rows: c.rows, Size: c.size})
	c.next++
	c.buf = c.buf[:0]
	return err
}

func (c *chunker) sum() [sha256.Size]byte { return [sha256.Size]byte(c.hash.Sum(nil)) }
