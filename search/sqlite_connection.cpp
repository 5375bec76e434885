#include <sqlite3.h>

#include "search/damaged_copy.h"
#include "search/sql_connection.h"

namespace xgen::search {

namespace {

class Sqlite : public SqlConnection {
 public:
  Sqlite(std::filesystem::path file, bool create, std::chrono::milliseconds patience)
      : file_(std::move(file)), patience_(patience) {
    const int code =
        sqlite3_open_v2(file_.c_str(), &connection_,
                        SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), nullptr);
    try {
      if (code != SQLITE_OK) fail(code);
      sqlite3_busy_timeout(connection_, static_cast<int>(patience_.count()));
      // A commit is on the disk before it is told.
      run("PRAGMA journal_mode = WAL");
      run("PRAGMA synchronous = FULL");
    } catch (...) {
      sqlite3_close(connection_);
      throw;
    }
  }
  ~Sqlite() override { sqlite3_close(connection_); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  std::string name() const override { return file_.string(); }
  void begin(Access access) override {
    run(access == Access::read ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE");
  }
  void reconnect() override {}

  bool has_table(const std::string& table) override {
    return !run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1", {table})
                .rows.empty();
  }

  SqlResult run(const std::string& sql, const std::vector<SqlValue>& values = {}) override {
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    sqlite3_stmt* statement = nullptr;
    int prepared = SQLITE_OK;
    do prepared = sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
    while (waits(prepared, deadline));
    if (prepared != SQLITE_OK) fail(prepared);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner(statement, sqlite3_finalize);
    for (std::size_t i = 0; i < values.size(); ++i)
      bind(statement, static_cast<int>(i) + 1, values[i]);
    SqlResult result;
    for (;;) {
      const int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) break;
      if (result.rows.empty() && waits(code, deadline)) {
        sqlite3_reset(statement);
        continue;
      }
      if (code != SQLITE_ROW) fail(code);
      std::vector<std::string>& row = result.rows.emplace_back();
      for (int column = 0; column < sqlite3_column_count(statement); ++column) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
        row.emplace_back(text == nullptr ? "" : text);
      }
    }
    result.changed = sqlite3_changes(connection_) > 0;
    return result;
  }

 private:
  // A locked file is waited for by SQLite itself, but not where it fears a deadlock, as when two
  // processes want the log of a new file at once: there each asks again.
  static bool waits(int code, std::chrono::steady_clock::time_point deadline) {
    if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return true;
  }
  static void bind(sqlite3_stmt* statement, int at, const SqlValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(statement, at, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      sqlite3_bind_double(statement, at, *real);
    } else {
      const auto& text = std::get<std::string>(value);
      sqlite3_bind_text(statement, at, text.c_str(), static_cast<int>(text.size()),
                        SQLITE_TRANSIENT);
    }
  }
  [[noreturn]] void fail(int code) {
    const std::string where = name() + ": ";
    switch (code & 0xff) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        throw UserError(str(where, "locked by another process for over ",
                            1e-3 * static_cast<double>(patience_.count()), " s"));
      case SQLITE_FULL:
        throw UserError(where + "no space left for the study; trials that ended are kept");
      case SQLITE_IOERR:
        throw UserError(where +
                        "cannot be read or written: the disk is gone, broken or over its quota; "
                        "trials that ended are kept");
      case SQLITE_CORRUPT:
        throw UserError(where + "the study is damaged and was left as it is; " + kept_copy());
      case SQLITE_NOTADB:
        throw UserError(where + "expected a study, got a file that is no SQLite database");
      default:
        throw UserError(
            where + (connection_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection_)));
    }
  }
  // Closing the copied file gives up locks that this process has on it: nobody writes a damaged
  // one.
  std::string kept_copy() {
    // Else the last one to close it writes the log into it.
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    try {
      const std::string copy = keep_damaged_copy(file_).string();
      return str("a copy is kept in ", copy, "; what can be read of it, `sqlite3 ", copy,
                 " .recover` prints");
    } catch (const UserError& error) {
      return str("no copy could be kept: ", error.what());
    }
  }

  std::filesystem::path file_;
  std::chrono::milliseconds patience_;
  sqlite3* connection_ = nullptr;
};

}  // namespace

std::unique_ptr<SqlConnection> open_sqlite(const std::filesystem::path& file, bool create,
                                           std::chrono::milliseconds patience) {
  if (create && file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  if (!create && !std::filesystem::exists(file))
    throw UserError(str(file.string(), ": expected a study, found no file"));
  return std::make_unique<Sqlite>(file, create, patience);
}

}  // namespace xgen::search
