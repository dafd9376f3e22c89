// Package estate makes a CyberArk Identity tenant for the people of one made-up
// company: directories, users, groups of Active Directory, roles within roles,
// administrative rights, and web applications with who may launch them.
//
// It is the truth that the CyberArk simulator serves and that tests compare a
// discovered graph with. Everything follows from people and seed; users are
// computed when somebody looks at them, so that a tenant of any size costs a
// few bytes for each. It speaks no protocol and never changes after New.
//
// What exists follows CyberArk's public documentation: "Data Dictionary" of the
// Identity developer pages, "Admin rights" and "Manage roles" of the product's, and
// the paths of rights and bits of grants in CyberArk's own SDK (idsec-sdk-golang).
package estate
