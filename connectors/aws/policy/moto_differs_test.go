package policy_test

import (
	"os"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// motoDifference is a request that moto decides otherwise than AWS documents.
type motoDifference struct {
	// row begins the row of docs/effective-access.md.
	row string
	// own is the policy of the user or role, others are empty for none.
	own, boundary, withSession, bucket, trust string
	session                                   bool
	call                                      motoCall
	moto, aws                                 policy.Decision
}

const (
	allowAll  = `"Effect":"Allow","Action":"*","Resource":"*"`
	elsewhere = "210987654321"
)

func motoDifferences() []motoDifference {
	get, list := motoGet("logs", "a"), motoCalls()[0]
	other, abroad := motoArn+"role/"+motoOther, "arn:aws:iam::"+elsewhere+":role/Abroad"
	assuming := stating(`"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"`)
	both := func(second string) string {
		return `{"Version":"2012-10-17","Statement":[{` + allowAll + `},{` + second + `}]}`
	}
	reading := func(resource string) string {
		return stating(`"Effect":"Allow","Action":"s3:GetObject","Resource":"` + resource + `"`)
	}
	allowed, denied := policy.Allowed, policy.Denied
	return []motoDifference{
		{row: "`Condition` in an identity policy", own: stating(allowAll + `,"Condition":{"StringEquals":{"aws:username":"ben"}}`), call: list, moto: allowed, aws: denied},
		{row: "`Condition` in an identity policy", own: both(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"ben"}}`), call: list, moto: denied, aws: allowed},
		{row: "`NotResource`", own: stating(`"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::logs/*"`), call: get, moto: allowed, aws: denied},
		{row: "`NotResource`", own: both(`"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::data/*"`), call: get, moto: allowed, aws: denied},
		{row: "`?`", own: reading("arn:aws:s3:::log?/a"), call: get, moto: denied, aws: allowed},
		{row: "`?`", own: reading("arn:aws:s3:::l.gs/a"), call: get, moto: allowed, aws: denied},
		{row: "`[`, and other signs", own: reading("arn:aws:s3:::log[s]/a"), call: get, moto: allowed, aws: denied},
		{row: "case of actions", own: stating(`"Effect":"Allow","Action":"S3:getobject","Resource":"*"`), call: get, moto: denied, aws: allowed},
		{row: "policy variables", own: reading("arn:aws:s3:::${aws:PrincipalTag/bucket, 'logs'}/a"), call: get, moto: denied, aws: allowed},
		{row: "permissions boundaries", session: true, own: stating(allowAll), boundary: stating(`"Effect":"Allow","Action":"s3:*","Resource":"*"`), call: list, moto: allowed, aws: denied},
		{row: "session policies", session: true, own: stating(allowAll), withSession: stating(`"Effect":"Allow","Action":"s3:*","Resource":"*"`), call: list, moto: allowed, aws: denied},
		{row: "policies of buckets that allow", bucket: bucketStating(`"Effect":"Allow","Principal":{"AWS":"` + motoArn + `user/` + motoUser + `"}`), call: get, moto: denied, aws: allowed},
		{row: "policies of buckets that deny somebody else", own: stating(allowAll), bucket: bucketStating(`"Effect":"Deny","Principal":{"AWS":"` + motoArn + `user/ben"}`), call: get, moto: denied, aws: allowed},
		{row: "policies of buckets that deny everyone but some", own: stating(allowAll), bucket: bucketStating(`"Effect":"Deny","NotPrincipal":{"AWS":["` + motoArn + `root","` + motoArn + `user/` + motoUser + `"]}`), call: get, moto: denied, aws: allowed},
		{row: "trust policies: naming the user is enough inside an account", trust: trusting(`"`+motoArn+`user/`+motoUser+`"`, ""), call: motoAssume(other, nil), moto: denied, aws: allowed},
		{row: "trust policies: a statement that names somebody else", own: assuming, trust: `{"Version":"2012-10-17","Statement":[
			{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"` + motoArn + `user/ben"}},
			{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + motoArn + `user/` + motoUser + `"}}]}`, call: motoAssume(other, nil), moto: denied, aws: allowed},
		{row: "trust policies: a statement that denies", own: assuming, trust: `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}},{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}`, call: motoAssume(other, nil), moto: allowed, aws: denied},
		{row: "trust policies: a name that is the beginning", own: assuming, trust: trusting(`"`+motoArn+`user/`+motoUser+`abel"`, ""), call: motoAssume(other, nil), moto: allowed, aws: denied},
		{row: "trust policies: the whole account", own: assuming, trust: trusting(`"`+motoArn+`root"`, ""), call: motoAssume(other, nil), moto: denied, aws: allowed},
		{row: "trust policies: the role of a session", session: true, own: assuming, trust: trusting(`"`+motoArn+`role/`+motoRole+`"`, ""), call: motoAssume(other, nil), moto: denied, aws: allowed},
		{row: "trust policies: a condition on what is absent", own: assuming, trust: trusting(`"`+motoArn+`user/`+motoUser+`"`, `,"Condition":{"StringEquals":{"sts:ExternalId":"seven"}}`), call: motoAssume(other, nil), moto: allowed, aws: denied},
		{row: "trust policies: operators but `StringEquals`", own: assuming, trust: trusting(`"`+motoArn+`user/`+motoUser+`"`, `,"Condition":{"StringLike":{"sts:ExternalId":"se*"}}`), call: motoAssume(other, sdk.String("eight")), moto: allowed, aws: denied},
		{row: "roles of other accounts", own: assuming, trust: trusting(`"`+motoArn+`user/ben"`, ""), call: motoAssume(abroad, nil), moto: allowed, aws: denied},
	}
}

// bucketStating is a bucket policy about reading one object.
func bucketStating(rest string) string {
	return stating(rest + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/a"`)
}

// TestMotoDiffers makes each of these requests for real and decides it: moto
// must still do what the documentation says it does, we what AWS documents, and
// the documentation must have the row.
func TestMotoDiffers(t *testing.T) {
	t.Parallel()
	documented, err := os.ReadFile("../../../docs/effective-access.md")
	require.NoError(t, err)
	m := newMotoCloud(t)
	for _, d := range motoDifferences() {
		require.Contains(t, string(documented), "\n| "+d.row, "docs/effective-access.md lists the difference")
		moto, aws := m.bothDecide(t, d)
		require.Equal(t, d.aws, aws, "%s: what AWS documents", d.row)
		require.Equal(t, d.moto, moto, "%s: moto does what it did not when docs/effective-access.md was written", d.row)
	}
}

func (m *motoCloud) bothDecide(t *testing.T, d motoDifference) (moto, aws policy.Decision) {
	t.Helper()
	layers, r := policy.Layers{ResourceAccount: motoHome}, d.call.requestOf(d.session)
	m.enforce(t, false)
	if d.own != "" {
		m.putOwn(t, d.session, d.own)
		defer m.dropOwn(t, d.session)
		layers.Identity = layerOf(t, d.own)
	}
	if d.boundary != "" {
		m.bound(t, d.boundary)
		layer := layerOf(t, d.boundary)
		layers.Boundary = &layer
	}
	if d.bucket != "" {
		m.putBucketPolicy(t, d.bucket)
		defer m.dropBucketPolicy(t)
		layers.Resource = layerOf(t, d.bucket)
	}
	if d.trust != "" {
		_, err := m.admin.UpdateAssumeRolePolicy(m.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: sdk.String(motoOther), PolicyDocument: &d.trust})
		require.NoError(t, err)
		layers.Resource, layers.ResourceDecides = layerOf(t, d.trust), true
	}
	if strings.Contains(r.Resource, elsewhere) {
		layers.ResourceAccount = elsewhere
	}
	config := m.user
	if d.session {
		var with *string
		if d.withSession != "" {
			layer := layerOf(t, d.withSession)
			with, layers.Session = &d.withSession, &layer
		}
		config = m.session(t, motoArn+"role/"+motoRole, "s", with)
	}
	if d.call.external != nil {
		r.Context = r.Context.With("sts:ExternalId", *d.call.external)
	}
	m.enforce(t, true)
	moto = m.decided(t, d.call.make(m, config))
	m.enforce(t, false) // so that all can be taken away again
	return moto, policy.Evaluate(r, layers).Decision
}

// bound gives the role a permissions boundary for good, which moto keeps and
// never looks at.
func (m *motoCloud) bound(t *testing.T, text string) {
	t.Helper()
	made, err := m.admin.CreatePolicy(m.ctx, &iam.CreatePolicyInput{PolicyName: sdk.String("boundary"), PolicyDocument: &text})
	require.NoError(t, err)
	_, err = m.admin.PutRolePermissionsBoundary(m.ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: sdk.String(motoRole), PermissionsBoundary: made.Policy.Arn})
	require.NoError(t, err)
}
