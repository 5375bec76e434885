#include "search/proxies.h"

#include "core/error.h"
#include "core/suggest.h"
#include "train/cpu.h"

namespace xgen::search {

namespace {

struct NamedProxy {
  const char* name;
  Proxy proxy;
};

constexpr NamedProxy kProxies[] = {
#define XGEN_PROXY(name, description) {#name, name##_proxy},
#include "search/proxies.inc"
#undef XGEN_PROXY
};

}  // namespace

std::vector<std::string> proxy_names() {
  std::vector<std::string> names;
  for (const NamedProxy& p : kProxies) names.emplace_back(p.name);
  return names;
}

Proxy find_proxy(const std::string& name, const std::string& where) {
  for (const NamedProxy& p : kProxies) {
    if (name == p.name) return p.proxy;
  }
  throw UserError(
      str(where, ": expected a proxy, got \"", name, "\"", did_you_mean(name, proxy_names())));
}

double score(Proxy proxy, const ir::Graph& network, const train::Batch& batch, int threads) {
  train::set_up_cpu(threads);
  return proxy(network, batch);
}

}  // namespace xgen::search
