#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/error.h"

namespace xgen::search {

using SqlValue = std::variant<std::int64_t, double, std::string>;

struct SqlResult {
  std::vector<std::vector<std::string>> rows;  ///< what columns hold, as text.
  bool changed = false;                        ///< whether the statement changed any row.
};

/// The server does not answer any more.
class ConnectionLost : public UserError {
 public:
  using UserError::UserError;
};

/// What a transaction does. One that reads sees what was there when it began, and nobody waits.
enum class Access : std::uint8_t { read, write };

/// A database, in the SQL that SQLite and PostgreSQL have in common.
class SqlConnection {
 public:
  virtual ~SqlConnection() = default;

  /// What messages call it.
  virtual std::string name() const = 0;
  /// One statement, whose values are $1, $2, ..., each first named in this order.
  /// @throws UserError which says what is wrong, ConnectionLost.
  virtual SqlResult run(const std::string& sql, const std::vector<SqlValue>& values = {}) = 0;
  virtual bool has_table(const std::string& table) = 0;
  /// Begins a transaction; while one writes no other one does.
  virtual void begin(Access access) = 0;
  /// Tries once to connect again. @throws ConnectionLost.
  virtual void reconnect() = 0;

  /// Everything that `work` does, or nothing. Where the server goes away it is tried again, after
  /// longer and longer waits, for about a minute; a commit that nobody confirmed may have been
  /// done, so `work` asks what there is before it changes it.
  template <class Work>
  auto transaction(const Work& work, Access access = Access::write) {
    std::chrono::milliseconds wait(100);
    for (;;) {
      try {
        begin(access);
        try {
          auto result = work();
          run("COMMIT");
          return result;
        } catch (const ConnectionLost&) {
          throw;
        } catch (...) {
          roll_back();
          throw;
        }
      } catch (const ConnectionLost&) {
        if (wait > kLongestWait) throw;
      }
      while (!connect_after(wait)) {
      }
    }
  }

 private:
  static constexpr std::chrono::milliseconds kLongestWait{30'000};

  // Where the database has done so itself there is nothing to roll back.
  void roll_back() {
    try {
      run("ROLLBACK");
    } catch (const UserError&) {
    }
  }
  // Waits, twice as long the next time, and tries once.
  bool connect_after(std::chrono::milliseconds& wait) {
    std::this_thread::sleep_for(wait);
    wait *= 2;
    try {
      reconnect();
      return true;
    } catch (const ConnectionLost&) {
      if (wait > kLongestWait) throw;
      return false;
    }
  }
};

/// @param create    whether a file that is not there is made, with its folder.
/// @param patience  with a file that another process has locked.
std::unique_ptr<SqlConnection> open_sqlite(
    const std::filesystem::path& file, bool create,
    std::chrono::milliseconds patience = std::chrono::minutes(1));
/// @param url     "postgresql://USER@HOST:PORT/DATABASE".
/// @param schema  that the tables are in, made where it is missing and `create` is set.
std::unique_ptr<SqlConnection> connect_postgres(const std::string& url, const std::string& schema,
                                                bool create);

}  // namespace xgen::search
