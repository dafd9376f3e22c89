package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

const stepFunctions = "functions"

// readLambda emits the functions of the account in the connection's region
// and, per statement of their policies, an entitlement and who holds it.
// Environment variables are never emitted: they often hold secrets.
func (s *session) readLambda(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	arns, whole := []string{}, from.Marker == ""
	err := s.eachFunctionPage(ctx, account, from.Marker, func(marker string, client *lambda.Client, out *lambda.ListFunctionsOutput) error {
		if err := b.At(records.Place{Step: stepFunctions, Marker: marker}); err != nil {
			return err
		}
		policies, err := sideBySide(ctx, out.Functions, func(ctx context.Context, f types.FunctionConfiguration) (string, error) {
			return functionPolicy(ctx, client, account, f)
		})
		if err != nil {
			return err
		}
		for i, f := range out.Functions {
			arns = append(arns, aws.ToString(f.FunctionArn))
			if err := s.addFunction(ctx, b, account, f, policies[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return gapOrFail(b, err)
	}
	if whole {
		s.inventory.keepFunctions(account, arns)
	}
	return nil
}

// functionPolicy returns the text of a function's policy, empty when it has
// none or was deleted meanwhile.
func functionPolicy(ctx context.Context, client *lambda.Client, account string, f types.FunctionConfiguration) (string, error) {
	out, err := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: f.FunctionArn})
	switch {
	case err == nil:
		return aws.ToString(out.Policy), nil
	case hasCode(err, "ResourceNotFoundException"):
		return "", nil
	}
	return "", classify(ctx, err, "function "+aws.ToString(f.FunctionName)+" in "+inAccount(account))
}

func (s *session) addFunction(ctx context.Context, b *records.Writer, account string, f types.FunctionConfiguration, policy answer) error {
	arn, name := aws.ToString(f.FunctionArn), aws.ToString(f.FunctionName)
	b.Entity(connector.Entity{
		Ref: resourceRef(arn), Name: records.Name(name), Type: "lambda_function",
		Attributes: records.Attributes(map[string]any{
			"arn": arn, "account": account, "region": s.configuration.Region, "runtime": string(f.Runtime),
			"execution_role": aws.ToString(f.Role), "description": aws.ToString(f.Description), "last_modified": aws.ToString(f.LastModified),
			"policy": plainDocument(policy.text), "policy_status": policy.status(),
		}, "policy"),
	})
	b.Relate(connector.BoundaryContains, boundaryRef(account), resourceRef(arn))
	if e, denied := isDenied(policy.err); denied {
		b.Gap(*e)
		return nil
	}
	if strings.TrimSpace(policy.text) == "" {
		return nil
	}
	return s.addResourcePolicy(ctx, b, account, resourcePolicy{resource: arn, name: name, kind: "lambda_function_policy_statement"}, policy.text)
}
