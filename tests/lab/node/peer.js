// Node's tls module. See ../README.md for the plan and the reports.
'use strict';

const { readFileSync } = require('node:fs');
const tls = require('node:tls');

const VERSIONS = { 1.2: 'TLSv1.2', 1.3: 'TLSv1.3' };

function offer(plan) {
  const version = plan.version ? VERSIONS[plan.version] : undefined;
  return {
    ca: readFileSync(plan.client_ca ?? plan.trusted),
    cert: plan.identity && readFileSync(plan.identity.chain),
    key: plan.identity && readFileSync(plan.identity.key),
    minVersion: version,
    maxVersion: version,
    ciphers: plan.cipher ?? undefined,
    ecdhCurve: plan.group ?? undefined,
    ALPNProtocols: plan.alpn ? [plan.alpn] : undefined,
  };
}

function report(port, completed, error, rest) {
  const line = { port, completed, ...rest };
  if (error) {
    line.error = [error.code, error.message].filter(Boolean).join(': ');
    line.fault = fault(error);
  }
  console.log(JSON.stringify(line));
}

function fault(error) {
  const code = error.code ?? '';
  if (/^ERR_SSL_(SSLV3_ALERT_|TLSV1_|TLSV13_)/.test(code)) return 'alerted';
  if (code === 'ETIMEDOUT' || code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timed_out';
  // Node gives the one code to a connection that just ended and to one that was reset, which has a system call.
  if (code === 'ECONNRESET' || code === 'EPIPE') return error.syscall ? 'reset' : 'closed';
  return 'refused';
}

function timedOut() {
  return Object.assign(new Error('nothing came'), { code: 'ETIMEDOUT' });
}

function server(plan) {
  const options = {
    ...offer(plan),
    requestCert: plan.auth !== 'none',
    rejectUnauthorized: plan.auth === 'required',
    crl: plan.crl ? readFileSync(plan.crl) : undefined,
    handshakeTimeout: plan.patience * 1000,
  };
  if (plan.only_name) {
    options.SNICallback = (name, done) =>
      name === plan.only_name ? done(null, null) : done(new Error('unrecognized name'));
  }
  const listener = tls.createServer(options);
  // Asked now, for a socket that has been destroyed no longer knows.
  listener.on('connection', (transport) => transport.remotePort);
  listener.on('secureConnection', (socket) => serve(plan, socket));
  listener.on('tlsClientError', (error, socket) => {
    // Node completes the handshake with a certificate that it will not take, and then drops the connection.
    const completed = Boolean(socket.authorizationError);
    const cause = completed ? new Error(socket.authorizationError) : error;
    report(socket._parent.remotePort, completed, cause, { peer_certificate: refused(plan, cause, completed) });
  });
  listener.listen(plan.port, plan.address);
}

// Whether a client certificate came over a connection that failed; undefined where that is not to be known.
function refused(plan, error, completed) {
  if (completed) return true;
  return plan.auth === 'none' || error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' ? false : undefined;
}

function serve(plan, socket) {
  const facts = { resumed: socket.isSessionReused() };
  // A resumed session has the certificate of the one before.
  if (!facts.resumed) facts.peer_certificate = Boolean(socket.getPeerCertificate().raw);
  const port = socket.remotePort;
  let failure;
  socket.on('error', (error) => (failure = error));
  socket.on('close', () => report(port, true, failure, facts));
  socket.setTimeout(plan.patience * 1000, () => socket.destroy(timedOut()));
  // Only a socket that is read sees the client's end, and then ends too.
  socket.resume();
  if (plan.service === 'closes') {
    socket.end();
    return;
  }
  if (plan.service === 'speaks_first') socket.write(plan.reply);
  socket.once('data', () => socket.write(plan.reply));
}

async function client(plan) {
  const secureContext = tls.createSecureContext(offer(plan));
  let session;
  for (let count = 0; count < plan.count; count += 1) {
    const next = await call(plan, secureContext, plan.resume ? session : undefined);
    session = next ?? session;
  }
}

// One connection. Gives a session to resume.
function call(plan, secureContext, previous) {
  return new Promise((resolve) => {
    let port, session, failure;
    let secure = false;
    let answered = plan.behaviour !== 'requests';
    const facts = {};
    const socket = tls.connect({
      host: plan.address,
      port: plan.port,
      servername: plan.server_name,
      secureContext,
      ALPNProtocols: plan.alpn ? [plan.alpn] : undefined,
      session: previous,
    });
    socket.setTimeout(plan.patience * 1000, () => socket.destroy(timedOut()));
    socket.on('connect', () => (port = socket.localPort));
    socket.on('session', (ticket) => (session = ticket));
    socket.on('error', (error) => (failure ??= error));
    socket.on('secureConnect', () => {
      secure = true;
      facts.resumed = socket.isSessionReused();
      behave(plan, socket);
    });
    socket.on('data', () => {
      answered = true;
      if (plan.behaviour === 'requests') socket.end();
    });
    socket.on('close', () => {
      if (secure && !answered) failure ??= Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' });
      report(port, secure || Boolean(socket.authorizationError), failure, facts);
      resolve(session);
    });
  });
}

function behave(plan, socket) {
  if (plan.behaviour === 'requests') socket.write(plan.request);
  if (plan.behaviour === 'closes_at_once') socket.end();
  if (plan.behaviour === 'idles') setTimeout(() => socket.end(), plan.idle_seconds * 1000);
}

const [role, plan] = process.argv.slice(2);
({ server, client })[role](JSON.parse(plan));
