#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "tests/support/temporary_folder.h"

namespace xgen::test {

/// A PostgreSQL server of our own on a loopback port, with a new database.
class PostgresServer {
 public:
  PostgresServer() : port_(free_port()) {}
  ~PostgresServer() { stop(); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// The one that tests share.
  static PostgresServer& shared() {
    static PostgresServer server;
    return server;
  }

  std::string url() const { return str("postgresql://xgen@127.0.0.1:", port_, "/postgres"); }

  /// Nothing where it runs.
  void start() {
    if (running_) return;
    if (!std::filesystem::exists(data())) {
      if (const passwd* user = as_root() ? getpwnam("postgres") : nullptr)
        XGEN_CHECK(chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) == 0, folder_.path());
      call("initdb -D " + data() + " -U xgen -A trust --no-sync");
    }
    call(str("pg_ctl -D ", data(), " -w -l ", data(), "/log -o '-F -k ", data(),
             " -c listen_addresses=127.0.0.1 -p ", port_, "' start"));
    running_ = true;
  }
  void stop() {
    if (!running_) return;
    call("pg_ctl -D " + data() + " -w -m immediate stop");
    running_ = false;
  }

 private:
  static bool as_root() { return geteuid() == 0; }
  // The server refuses to run as root.
  void call(const std::string& command) const {
    const std::string line = str(as_root() ? "runuser -u postgres -- " : "", programs(), "/",
                                 command, " > ", (folder_ / "said").string(), " 2>&1");
    XGEN_CHECK(std::system(line.c_str()) == 0, line);
  }
  std::string data() const { return (folder_ / "data").string(); }

  // Debian keeps them beside the path, by version.
  static std::string programs() {
    std::string latest;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql"))
      latest = std::max(latest, entry.path().string() + "/bin");
    return latest;
  }
  static int free_port() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    XGEN_CHECK(bind(listener, generic, size) == 0 && getsockname(listener, generic, &size) == 0,
               "no free port");
    close(listener);
    return ntohs(address.sin_port);
  }

  TemporaryFolder folder_;
  int port_;
  bool running_ = false;
};

}  // namespace xgen::test
