package opengraph

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// source is the kind that all nodes have in common; kinds are prefixed with it, as
// OpenGraph asks for so that they are nobody else's.
const source = "Gatehouse"

// Encoding writes OpenGraph.
type Encoding struct{}

var _ export.GraphEncoding = Encoding{}

type writer struct {
	to    io.Writer
	line  []byte
	nodes int
	edges int
	// inEdges says that the list of nodes has been closed.
	inEdges bool
}

// Open begins the document.
func (Encoding) Open(w io.Writer) (export.GraphWriter, error) {
	_, err := io.WriteString(w, `{"metadata":{"source_kind":"`+source+`"},"graph":{"nodes":[`)
	return &writer{to: w}, err
}

// Node adds a node.
func (w *writer) Node(e graph.Entity) error {
	w.begin(w.nodes)
	w.nodes++
	w.line = append(w.line, `{"id":"`+e.ID.String()+`","kinds":["`+source+"_"+string(e.Kind)+`"],"properties":{`...)
	identifiers := []string{}
	for _, i := range e.Identifiers {
		identifiers = append(identifiers, string(i.Type)+":"+i.Value)
	}
	p := properties{w: w}
	p.add("name", e.Name)
	p.add("displayname", e.Name)
	p.add("entitytype", e.Type)
	p.add("providerid", e.ProviderID)
	p.add("connectionid", e.Connection.String())
	p.add("integrationid", string(e.Integration))
	p.add("identifiers", identifiers)
	p.add("attributes", e.Attributes)
	p.add("firstseenrunid", e.FirstRun.String())
	p.add("validfrom", e.ValidFrom)
	return w.end(p.err)
}

// Edge adds an edge. The first one ends the nodes.
func (w *writer) Edge(e export.Edge) error {
	if err := w.endNodes(); err != nil {
		return err
	}
	w.begin(w.edges)
	w.edges++
	w.line = append(w.line, `{"kind":"`+kindOf(e.Kind)+`","start":{"match_by":"id","value":"`+e.From.String()+
		`"},"end":{"match_by":"id","value":"`+e.To.String()+`"},"properties":{`...)
	p := properties{w: w}
	for i, c := range e.Columns {
		p.add(strings.ReplaceAll(c.Name, "_", ""), e.Row[i])
	}
	return w.end(p.err)
}

// Close ends the document.
func (w *writer) Close() error {
	if err := w.endNodes(); err != nil {
		return err
	}
	_, err := io.WriteString(w.to, "\n]}}\n")
	return err
}

func (w *writer) endNodes() error {
	if w.inEdges {
		return nil
	}
	w.inEdges = true
	_, err := io.WriteString(w.to, "\n],\"edges\":[")
	return err
}

// begin starts the element that has so many before it in its list, on a line of
// its own.
func (w *writer) begin(before int) {
	w.line = w.line[:0]
	if before > 0 {
		w.line = append(w.line, ',')
	}
	w.line = append(w.line, '\n')
}

func (w *writer) end(err error) error {
	if err != nil {
		return err
	}
	w.line = append(w.line, '}', '}')
	_, err = w.to.Write(w.line)
	return err
}

// properties adds the members of one object.
type properties struct {
	w     *writer
	added int
	err   error
}

func (p *properties) add(name string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case []string:
		if len(v) == 0 {
			return
		}
	case json.RawMessage:
		// No objects, and no lists but of texts.
		if len(v) == 0 || string(v) == "{}" {
			return
		}
		value = string(v)
	case time.Time:
		if v.IsZero() {
			return
		}
	}
	if p.err != nil {
		return
	}
	if p.added > 0 {
		p.w.line = append(p.w.line, ',')
	}
	p.added++
	p.w.line = append(p.w.line, `"`+name+`":`...)
	p.w.line, p.err = export.AppendJSON(p.w.line, value)
}

// kindOf makes account_assigned_entitlement Gatehouse_AccountAssignedEntitlement.
func kindOf(words string) string {
	kind := source + "_"
	for word := range strings.SplitSeq(words, "_") {
		if word != "" {
			kind += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return kind
}
