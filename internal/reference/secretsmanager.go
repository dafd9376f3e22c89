package reference

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// callTime bounds the whole of a look-up, retries included.
const callTime = 15 * time.Second

var secretARN = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$`)

// fromSecretsManager returns a secret's text, or with #key one field of the JSON
// object that it is. Region and account are the ARN's; credentials are found by
// the SDK's default chain.
func fromSecretsManager(ctx context.Context, target string) (string, error) {
	arn, key, wantsKey := strings.Cut(target, "#")
	parts := secretARN.FindStringSubmatch(arn)
	if parts == nil {
		return "", fault.New(fault.Invalid, "a reference to AWS Secrets Manager is written awssm:arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME#KEY")
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(parts[1]))
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "AWS Secrets Manager cannot be asked")
	}
	answer, err := secretsmanager.NewFromConfig(settings).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
	if err != nil {
		return "", refused(err)
	}
	text := aws.ToString(answer.SecretString)
	if !wantsKey {
		return text, nil
	}
	var object map[string]json.RawMessage
	var value string
	if json.Unmarshal([]byte(text), &object) != nil || json.Unmarshal(object[key], &value) != nil {
		// The decoder's error would repeat some of the secret.
		return "", fault.New(fault.Invalid, "the secret in AWS Secrets Manager is no JSON object with that key and a text in it")
	}
	return value, nil
}

func refused(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fault.Wrap(fault.Unavailable, err, "AWS Secrets Manager does not answer, or the integrations service has no AWS credentials")
	}
	switch api.ErrorCode() {
	case "ResourceNotFoundException":
		return fault.Wrap(fault.Invalid, err, "AWS Secrets Manager has no such secret")
	case "AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException":
		return fault.Wrap(fault.Invalid, err, "AWS does not let the integrations service read the secret; it needs secretsmanager:GetSecretValue")
	case "InvalidRequestException":
		return fault.Wrap(fault.Invalid, err, "the secret in AWS Secrets Manager is about to be deleted")
	case "DecryptionFailure":
		return fault.Wrap(fault.Invalid, err, "AWS Secrets Manager cannot decrypt the secret with its KMS key")
	}
	return fault.Wrap(fault.Unavailable, err, "AWS Secrets Manager does not answer as it should")
}
