// Package estate invents an AWS organisation for the people of one made-up
// company: accounts in organisational units, service control policies, IAM
// users, groups, roles and policies in each account, Identity Center with its
// permission sets and assignments, buckets and functions.
//
// It is the truth that the AWS simulator serves and that tests compare a
// discovered graph with. Everything follows from people and seed; the content
// of an account is computed when somebody looks at it, and only a few recent
// accounts are kept, so that an organisation of any size fits in little
// memory. It speaks no protocol and never changes after New.
//
// What exists follows AWS's public documentation: the IAM User Guide (unique
// identifiers, ARNs, policy grammar, quotas, service-linked roles), the
// Organizations User Guide (organisational units, how service control
// policies attach), the IAM Identity Center User Guide (permission sets and
// the AWSReservedSSO_ roles that they become), the S3 and Lambda guides
// (resource policies). AWS-managed policies carry the real names and ARNs;
// long documents are shortened to the actions that matter for access.
package estate
