// Package opengraph writes graphs as BloodHound's OpenGraph JSON, which is described
// at https://bloodhound.specterops.io/opengraph/developer/schema.
//
// Nodes are entities: id is Gatehouse's entity id, kinds has one element, such as
// Gatehouse_Account, and the source kind is Gatehouse. Edges name both ends by
// that id; their kinds are such as Gatehouse_AccountAssignedEntitlement. Properties
// are what OpenGraph allows, texts, numbers, truth values and lists of texts: JSON
// becomes a text, and what there is nothing of is left out.
package opengraph
