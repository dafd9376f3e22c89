// An OpenID Connect provider for tests: oidc-provider with its own login pages.
// Whoever enters a login is that person; what the provider says of them is in the
// login itself, as in alice+platform+readers for Alice in two groups.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const device = 'urn:ietf:params:oauth:grant-type:device_code';

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'gatehouse',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', device],
    }],
    // What a public client gets is told in the ID token, as most products do.
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email', 'email_verified'] },
    issueRefreshToken: async () => true,
    features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true }, revocation: { enabled: true } },
    cookies: { keys: ['test'] },
    async findAccount(_, id) {
      const [name, ...groups] = id.split('+');
      return {
        accountId: id,
        claims: async () => ({ sub: name, name, groups, email: `${name}@example.com`, email_verified: !groups.includes('unverified') }),
      };
    },
  });
  server.on('request', provider.callback());
  console.log(`serving ${issuer}`);
});
