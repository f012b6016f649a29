#include "controller/listener/tls_identity.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "controller/base/digest.hpp"

namespace zellige::listener {

namespace {

template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

Owned<BIO> memoryBio() {
  return {BIO_new(BIO_s_mem()), [](BIO* b) { BIO_free(b); }};
}
Owned<BIO> bioOf(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), [](BIO* b) { BIO_free(b); }};
}
Owned<X509> readCertificate(BIO* bio) {
  return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free};
}

std::string textOf(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string opensslReason() {
  char text[256] = "no reason given";
  if (const auto code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

// Making a key fails only when OpenSSL itself is broken: an exception, not a Result.
void require(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL: " + opensslReason());
}

bool isNumericAddress(const std::string& name) {
  unsigned char out[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), out) == 1 || inet_pton(AF_INET6, name.c_str(), out) == 1;
}

void addExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()),
                                        X509_EXTENSION_free};
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

std::string alternativeNames(const std::string& commonName, const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names.empty() ? std::vector{commonName} : names) {
    if (!out.empty()) out += ',';
    out += (isNumericAddress(name) ? "IP:" : "DNS:") + name;
  }
  return out;
}

Result<std::string> readFile(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return Error{Errc::Invalid, fmt::format("cannot read {}", file.string())};
  return text.str();
}

}  // namespace

TlsIdentity makeSelfSigned(const std::string& commonName, const std::vector<std::string>& names) {
  const Owned<EVP_PKEY> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  const Owned<X509> certificate{X509_new(), X509_free};
  require(key && certificate);
  X509_set_version(certificate.get(), X509_VERSION_3);
  unsigned char serial[16];
  require(RAND_bytes(serial, sizeof serial) == 1);
  serial[0] &= 0x7f;  // a positive INTEGER
  const Owned<BIGNUM> number{BN_bin2bn(serial, sizeof serial, nullptr), BN_free};
  require(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())));
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -24L * 3600);  // the other clock may be behind
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), 3652, 0, nullptr);
  auto* subject = X509_get_subject_name(certificate.get());
  require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(commonName.c_str()), -1, -1,
                                     0) == 1);
  require(X509_set_issuer_name(certificate.get(), subject) == 1 &&
          X509_set_pubkey(certificate.get(), key.get()) == 1);
  addExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  addExtension(certificate.get(), NID_ext_key_usage, "serverAuth");
  addExtension(certificate.get(), NID_subject_key_identifier, "hash");
  addExtension(certificate.get(), NID_subject_alt_name, alternativeNames(commonName, names));
  require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);

  const auto certificateBio = memoryBio(), keyBio = memoryBio();
  require(PEM_write_bio_X509(certificateBio.get(), certificate.get()) == 1);
  require(PEM_write_bio_PKCS8PrivateKey(keyBio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {textOf(certificateBio.get()), textOf(keyBio.get())};
}

Result<TlsIdentity> loadTlsIdentity(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key) {
  auto certificatePem = readFile(certificate);
  if (!certificatePem) return certificatePem.error();
  auto keyPem = readFile(key);
  if (!keyPem) return keyPem.error();
  return TlsIdentity{std::move(*certificatePem), std::move(*keyPem)};
}

Result<std::string> spkiPin(std::string_view certificatePem) {
  const auto certificate = readCertificate(bioOf(certificatePem).get());
  if (!certificate) return Error{Errc::Invalid, "not a PEM certificate: " + opensslReason()};
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  require(length > 0);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned digestLength = 0;
  const bool ok = EVP_Digest(der, static_cast<std::size_t>(length), digest, &digestLength, EVP_sha256(),
                             nullptr) == 1;
  OPENSSL_free(der);
  require(ok);
  return toBase64({reinterpret_cast<const char*>(digest), digestLength});
}

Result<std::shared_ptr<ssl_ctx_st>> serverContext(const TlsIdentity& identity) {
  const auto bad = [](const char* what) {
    return Error{Errc::Invalid, fmt::format("{}: {}", what, opensslReason())};
  };
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  require(bool(context));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  require(SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  require(SSL_CTX_set1_groups_list(context.get(), "X25519:P-256") == 1);
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // stack.md 1: 14 KB per idle connection with the buffers released, against 72 KB through Asio's BIO pair.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets only: no memory per client
  SSL_CTX_set_num_tickets(context.get(), 1);

  const auto bio = bioOf(identity.certificatePem);
  const auto certificate = readCertificate(bio.get());
  if (!certificate || SSL_CTX_use_certificate(context.get(), certificate.get()) != 1)
    return bad("certificate");
  while (const auto issuer = readCertificate(bio.get()))
    if (SSL_CTX_add1_chain_cert(context.get(), issuer.get()) != 1) return bad("certificate chain");
  ERR_clear_error();  // the end of the chain is reported as an error
  const Owned<EVP_PKEY> key{PEM_read_bio_PrivateKey(bioOf(identity.keyPem).get(), nullptr, nullptr, nullptr),
                            EVP_PKEY_free};
  if (!key || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) return bad("private key");
  if (SSL_CTX_check_private_key(context.get()) != 1) return bad("private key does not fit the certificate");
  return context;
}

}  // namespace zellige::listener
