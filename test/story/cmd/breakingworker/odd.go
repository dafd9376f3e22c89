package main

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
)

// oddMany is how many resources one entitlement grants, and how many accounts one
// principal has.
const oddMany = 100_000

// oddEstate is the name of the breach that reads an estate which keeps to the
// contract, and is unlike any other.
const oddEstate = "odd-estate"

// oddSession reads the odd estate, as one partition of the stream.
type oddSession struct {
	connector.Session
	stream string
}

// Plan names the one partition.
func (s oddSession) Plan(context.Context) (connector.Plan, error) {
	return connector.Plan{Partitions: []connector.Partition{{Stream: s.stream, Key: "odd"}}}, nil
}

// Read writes all of it, whatever the cursor.
func (s oddSession) Read(ctx context.Context, _ connector.Partition, _ connector.Cursor, to connector.Sink) error {
	p := &pages{ctx: ctx, to: to}
	p.many()
	p.ring()
	p.cases()
	p.twice()
	return p.end()
}

// pages gathers records into pages.
type pages struct {
	ctx     context.Context
	to      connector.Sink
	page    connector.Page
	written int
	err     error
}

func (p *pages) flush(last bool) {
	if p.err != nil {
		return
	}
	p.written++
	if !last {
		p.page.Next = connector.Cursor(fmt.Sprint(p.written))
	}
	p.err = p.to.Write(p.ctx, p.page)
	p.page = connector.Page{}
}

func (p *pages) end() error {
	p.flush(true)
	return p.err
}

func (p *pages) room() {
	if len(p.page.Entities)+len(p.page.Relationships) == connector.MaxPageRecords {
		p.flush(false)
	}
}

func (p *pages) entity(kind connector.EntityKind, id, name string) connector.Ref {
	p.room()
	ref := connector.Ref{Kind: kind, ID: id}
	p.page.Entities = append(p.page.Entities, connector.Entity{Ref: ref, Name: name, Type: "odd"})
	return ref
}

func (p *pages) relate(kind connector.RelationshipKind, from, to connector.Ref, actions ...string) {
	p.room()
	r := connector.Relationship{Kind: kind, From: from, To: to}
	if len(actions) > 0 {
		r.Terms = &connector.Terms{Effect: connector.Allow, Actions: actions}
	}
	p.page.Relationships = append(p.page.Relationships, r)
}

// many is an entitlement that grants very many resources, and a principal with very
// many accounts, the last of which alone reaches something.
func (p *pages) many() {
	all := p.entity(connector.Entitlement, "odd/all", "odd all")
	holder := p.entity(connector.Account, "odd/holder", "odd holder")
	p.relate(connector.AccountAssignedEntitlement, holder, all)
	shared := p.entity(connector.Principal, "odd/shared", "odd shared")
	last := p.entity(connector.Entitlement, "odd/last", "odd last")
	treasure := p.entity(connector.Resource, "odd/treasure", "odd treasure")
	p.relate(connector.EntitlementGrantsResource, last, treasure, "odd:Read")
	for n := range oddMany {
		resource := p.entity(connector.Resource, fmt.Sprintf("odd/resource/%06d", n), "odd resource")
		p.relate(connector.EntitlementGrantsResource, all, resource, "odd:Read")
		account := p.entity(connector.Account, fmt.Sprintf("odd/account/%06d", n), "odd account")
		p.relate(connector.PrincipalRepresentsAccount, shared, account)
		if n == oddMany-1 {
			p.relate(connector.AccountAssignedEntitlement, account, last)
		}
	}
}

// ring is groups in groups that come back to where they began, one of them in
// itself.
func (p *pages) ring() {
	const length = 7
	groups := make([]connector.Ref, length)
	for n := range groups {
		groups[n] = p.entity(connector.Entitlement, fmt.Sprint("odd/ring/", n), "odd ring")
	}
	for n, g := range groups {
		p.relate(connector.EntitlementIncludesEntitlement, g, groups[(n+1)%length])
	}
	p.relate(connector.EntitlementIncludesEntitlement, groups[3], groups[3])
	member := p.entity(connector.Account, "odd/ringed", "odd ringed")
	p.relate(connector.AccountAssignedEntitlement, member, groups[5])
	p.relate(connector.EntitlementGrantsResource, groups[4], p.entity(connector.Resource, "odd/ring", "odd ring"), "odd:Read")
}

// cases is ids that differ in nothing but case; to the provider they are two.
func (p *pages) cases() {
	for _, name := range []string{"Case", "case"} {
		given := p.entity(connector.Entitlement, "odd/policy/"+name, "odd policy")
		p.relate(connector.AccountAssignedEntitlement, p.entity(connector.Account, "odd/user/"+name, "odd user"), given)
		p.relate(connector.EntitlementGrantsResource, given, p.entity(connector.Resource, "odd/store/"+name, "odd store"), "odd:Read")
	}
}

// twice is records that come again on a later page and say something else.
func (p *pages) twice() {
	for n := range 3 {
		account := p.entity(connector.Account, "odd/twice", fmt.Sprint("odd twice ", n%2))
		given := p.entity(connector.Entitlement, "odd/given", "odd given")
		p.relate(connector.AccountAssignedEntitlement, account, given)
		p.relate(connector.EntitlementGrantsResource, given, p.entity(connector.Resource, "odd/target", "odd target"), []string{"odd:Read", "odd:Write"}[n%2])
		p.flush(false)
	}
}
