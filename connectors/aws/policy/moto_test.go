package policy_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// awsPolicies are policies of AWS itself with all that moto decides by AWS's
// rules: NotAction, long lists, denials.
func awsPolicies() []string {
	return []string{"AdministratorAccess", "PowerUserAccess", "IAMReadOnlyAccess", "AmazonS3ReadOnlyAccess", "AmazonS3FullAccess", "IAMUserSSHKeys", "AWSDenyAll"}
}

// motoHolding is what the user or the role holds during one check.
type motoHolding struct {
	session bool
	// texts are all policies that count, by where they hang.
	own, managed, group, groupManaged, awsOwned string
	bucket                                      string
}

func drawMotoDocument(t *rapid.T, label string) string {
	var statements []object
	pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label+" "+what) }
	for range rapid.IntRange(1, 3).Draw(t, label) {
		statements = append(statements, object{
			"Effect": pick("effect", "Allow", "Allow", "Allow", "Deny"),
			pick("element", "Action", "Action", "Action", "NotAction"): []string{
				pick("action", "*", "iam:*", "s3:*", "iam:List*", "s3:Get*", "iam:ListUsers", "s3:*Object"),
				pick("other action", "iam:ListRoles", "iam:*Groups", "s3:GetObject", "s3:ListBucket", "iam:Get*"),
			},
			"Resource": []string{
				pick("resource", "*", "*", "arn:aws:s3:::logs/*", "arn:aws:s3:::*/a", "arn:aws:s3:::data/b", motoArn+"role/*"),
				pick("other resource", "arn:aws:s3:::logs/a", motoArn+"role/"+motoOther, "arn:aws:s3:::logs"),
			},
		})
	}
	return text(t, statements...)
}

func drawMotoHolding(t *rapid.T) motoHolding {
	h := motoHolding{session: rapid.Bool().Draw(t, "session")}
	optional := func(label string) string {
		if rapid.Bool().Draw(t, "has "+label) {
			return drawMotoDocument(t, label)
		}
		return ""
	}
	h.own, h.managed = optional("own"), optional("managed")
	if !h.session {
		h.group, h.groupManaged = optional("group"), optional("group's managed")
	}
	if rapid.IntRange(0, 2).Draw(t, "AWS's own") == 0 {
		h.awsOwned = rapid.SampledFrom(awsPolicies()).Draw(t, "of AWS")
	}
	if rapid.IntRange(0, 2).Draw(t, "bucket") == 0 {
		h.bucket = text(t, object{
			"Effect": "Deny", "Principal": "*", "Action": rapid.SampledFrom([]string{"s3:GetObject", "s3:*", "s3:DeleteObject"}).Draw(t, "withheld"),
			"Resource": rapid.SampledFrom([]string{"arn:aws:s3:::logs/*", "arn:aws:s3:::logs/a"}).Draw(t, "where"),
		})
	}
	return h
}

// hold gives the user or role what it holds; the returned function takes it
// away. It returns the texts that count.
func (m *motoCloud) hold(t *rapid.T, h motoHolding) (texts []string, release func()) {
	var undo []func()
	add := func(text string, attach func(arn *string) error, detach func(arn *string) error) {
		if text == "" {
			return
		}
		made, err := m.admin.CreatePolicy(m.ctx, &iam.CreatePolicyInput{PolicyName: sdk.String(fmt.Sprint("p", len(undo))), PolicyDocument: sdk.String(text)})
		require.NoError(t, err)
		require.NoError(t, attach(made.Policy.Arn))
		texts = append(texts, text)
		undo = append(undo, func() {
			require.NoError(t, detach(made.Policy.Arn))
			_, err := m.admin.DeletePolicy(m.ctx, &iam.DeletePolicyInput{PolicyArn: made.Policy.Arn})
			require.NoError(t, err)
		})
	}
	attach := func(arn *string) (err error) {
		if h.session {
			_, err = m.admin.AttachRolePolicy(m.ctx, &iam.AttachRolePolicyInput{RoleName: sdk.String(motoRole), PolicyArn: arn})
			return err
		}
		_, err = m.admin.AttachUserPolicy(m.ctx, &iam.AttachUserPolicyInput{UserName: sdk.String(motoUser), PolicyArn: arn})
		return err
	}
	detach := func(arn *string) (err error) {
		if h.session {
			_, err = m.admin.DetachRolePolicy(m.ctx, &iam.DetachRolePolicyInput{RoleName: sdk.String(motoRole), PolicyArn: arn})
			return err
		}
		_, err = m.admin.DetachUserPolicy(m.ctx, &iam.DetachUserPolicyInput{UserName: sdk.String(motoUser), PolicyArn: arn})
		return err
	}
	add(h.managed, attach, detach)
	add(h.groupManaged, func(arn *string) error {
		_, err := m.admin.AttachGroupPolicy(m.ctx, &iam.AttachGroupPolicyInput{GroupName: sdk.String(motoGroup), PolicyArn: arn})
		return err
	}, func(arn *string) error {
		_, err := m.admin.DetachGroupPolicy(m.ctx, &iam.DetachGroupPolicyInput{GroupName: sdk.String(motoGroup), PolicyArn: arn})
		return err
	})
	if h.awsOwned != "" {
		arn := sdk.String("arn:aws:iam::aws:policy/" + h.awsOwned)
		require.NoError(t, attach(arn))
		undo = append(undo, func() { require.NoError(t, detach(arn)) })
		texts = append(texts, m.awsText(t, arn))
	}
	if h.own != "" {
		m.putOwn(t, h.session, h.own)
		undo = append(undo, func() { m.dropOwn(t, h.session) })
		texts = append(texts, h.own)
	}
	if h.group != "" {
		_, err := m.admin.PutGroupPolicy(m.ctx, &iam.PutGroupPolicyInput{GroupName: sdk.String(motoGroup), PolicyName: sdk.String("own"), PolicyDocument: sdk.String(h.group)})
		require.NoError(t, err)
		undo = append(undo, func() {
			_, err := m.admin.DeleteGroupPolicy(m.ctx, &iam.DeleteGroupPolicyInput{GroupName: sdk.String(motoGroup), PolicyName: sdk.String("own")})
			require.NoError(t, err)
		})
		texts = append(texts, h.group)
	}
	if h.bucket != "" {
		m.putBucketPolicy(t, h.bucket)
		undo = append(undo, func() { m.dropBucketPolicy(t) })
	}
	return texts, func() {
		for _, one := range slices.Backward(undo) {
			one()
		}
	}
}

func (m *motoCloud) putOwn(t require.TestingT, session bool, text string) {
	var err error
	if session {
		_, err = m.admin.PutRolePolicy(m.ctx, &iam.PutRolePolicyInput{RoleName: sdk.String(motoRole), PolicyName: sdk.String("own"), PolicyDocument: &text})
	} else {
		_, err = m.admin.PutUserPolicy(m.ctx, &iam.PutUserPolicyInput{UserName: sdk.String(motoUser), PolicyName: sdk.String("own"), PolicyDocument: &text})
	}
	require.NoError(t, err)
}

func (m *motoCloud) dropOwn(t require.TestingT, session bool) {
	var err error
	if session {
		_, err = m.admin.DeleteRolePolicy(m.ctx, &iam.DeleteRolePolicyInput{RoleName: sdk.String(motoRole), PolicyName: sdk.String("own")})
	} else {
		_, err = m.admin.DeleteUserPolicy(m.ctx, &iam.DeleteUserPolicyInput{UserName: sdk.String(motoUser), PolicyName: sdk.String("own")})
	}
	require.NoError(t, err)
}

func (m *motoCloud) putBucketPolicy(t require.TestingT, text string) {
	_, err := m.objects(m.config("AKIAADMIN", "x", "")).PutBucketPolicy(m.ctx, &s3.PutBucketPolicyInput{Bucket: sdk.String("logs"), Policy: &text})
	require.NoError(t, err)
}

func (m *motoCloud) dropBucketPolicy(t require.TestingT) {
	_, err := m.objects(m.config("AKIAADMIN", "x", "")).DeleteBucketPolicy(m.ctx, &s3.DeleteBucketPolicyInput{Bucket: sdk.String("logs")})
	require.NoError(t, err)
}

// awsText is the text of a policy of AWS in force.
func (m *motoCloud) awsText(t require.TestingT, arn *string) string {
	found, err := m.admin.GetPolicy(m.ctx, &iam.GetPolicyInput{PolicyArn: arn})
	require.NoError(t, err)
	version, err := m.admin.GetPolicyVersion(m.ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: found.Policy.DefaultVersionId})
	require.NoError(t, err)
	plain, err := url.QueryUnescape(*version.PolicyVersion.Document)
	require.NoError(t, err)
	return plain
}

// TestAgreesWithMoto lets a user and a role's session with generated policies,
// own, managed, of groups and of AWS, call an imitation of AWS that enforces
// IAM, and decides the same requests. What is generated keeps to what moto
// implements by AWS's rules; TestMotoDiffers is about the rest. Thirteen
// requests a check, so that -rapid.checks=1000 decides 13,000.
func TestAgreesWithMoto(t *testing.T) {
	t.Parallel()
	m := newMotoCloud(t)
	session := m.session(t, motoArn+"role/"+motoRole, "s", nil)
	decided := map[policy.Decision]int{}
	rapid.Check(t, func(t *rapid.T) {
		h := drawMotoHolding(t)
		m.enforce(t, false)
		texts, release := m.hold(t, h)
		defer func() {
			m.enforce(t, false)
			release()
		}()
		layers := policy.Layers{Identity: layerOf(t, texts...), ResourceAccount: motoHome}
		config := m.user
		if h.session {
			config = session
		}
		m.enforce(t, true)
		for _, call := range motoCalls() {
			if layers.Resource = (policy.Layer{}); h.bucket != "" && len(call.resource) > 16 && call.resource[:16] == "arn:aws:s3:::log" {
				layers.Resource = layerOf(t, h.bucket)
			}
			want := m.decided(t, call.make(m, config))
			got := policy.Evaluate(call.requestOf(h.session), layers)
			require.Equal(t, want, got.Decision, "%s on %s by %v and %s", call.action, call.resource, texts, h.bucket)
			decided[got.Decision]++
		}
	})
	t.Logf("%v", decided)
	require.Greater(t, decided[policy.Allowed], 50)
	require.Greater(t, decided[policy.Denied], 50)
}

// TestAssumptionsAgreeWithMoto has the user and the role's session take a role
// on, whose trust names some, with an external id or without one. moto asks both
// sides in any case; by AWS's rules it is enough inside an account that the trust
// names the user itself, and these requests are in TestMotoDiffers.
func TestAssumptionsAgreeWithMoto(t *testing.T) {
	t.Parallel()
	m := newMotoCloud(t)
	decided := map[policy.Decision]int{}
	target := motoArn + "role/" + motoOther
	rapid.Check(t, func(t *rapid.T) {
		trust := trusting(rapid.SampledFrom([]string{
			`["` + motoArn + `user/` + motoUser + `","` + motoArn + `user/ben"]`, `["` + motoArn + `user/ben"]`, `["` + motoArn + `role/` + motoRole + `"]`,
		}).Draw(t, "trusted"), rapid.SampledFrom([]string{
			"", `,"Condition":{"StringEquals":{"sts:ExternalId":"seven"}}`, `,"Condition":{"StringEquals":{"sts:ExternalId":["six","seven"]}}`,
			`,"Condition":{"StringEquals":{"sts:ExternalId":"Seven"}}`,
		}).Draw(t, "condition"))
		own := text(t, object{"Effect": "Allow", "Action": rapid.SampledFrom([]string{"sts:*", "sts:AssumeRole", "*"}).Draw(t, "own action"), "Resource": target},
			object{"Effect": rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "own effect"), "Action": "sts:Assume*", "Resource": rapid.SampledFrom([]string{motoArn + "role/Else", motoArn + "role/O*"}).Draw(t, "own resource")})
		m.enforce(t, false)
		_, err := m.admin.UpdateAssumeRolePolicy(m.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: sdk.String(motoOther), PolicyDocument: sdk.String(trust)})
		require.NoError(t, err)
		m.putOwn(t, false, own)
		m.enforce(t, true)
		call := motoAssume(target, sdk.String("seven"))
		want := m.decided(t, call.make(m, m.user))
		r := call.requestOf(false)
		r.Context = r.Context.With("sts:ExternalId", "seven")
		got := policy.Evaluate(r, policy.Layers{Identity: layerOf(t, own), Resource: layerOf(t, trust), ResourceDecides: true, ResourceAccount: motoHome})
		require.Equal(t, want, got.Decision, "%s by %s", trust, own)
		decided[got.Decision]++
	})
	t.Logf("%v", decided)
	require.Positive(t, decided[policy.Allowed])
	require.Positive(t, decided[policy.Denied])
}
