#include <sqlite3.h>

#include "search/sql_connection.h"

namespace xgen::search {

namespace {

constexpr int kPatienceMs = 60 * 1000;  // with a locked file

class Sqlite : public SqlConnection {
 public:
  Sqlite(std::filesystem::path file, bool create) : file_(std::move(file)) {
    const int code =
        sqlite3_open_v2(file_.c_str(), &connection_,
                        SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), nullptr);
    try {
      if (code != SQLITE_OK) throw UserError(explain(code));
      sqlite3_busy_timeout(connection_, kPatienceMs);
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
  void begin() override { run("BEGIN IMMEDIATE"); }
  void reconnect() override {}

  bool has_table(const std::string& table) override {
    return !run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1", {table})
                .rows.empty();
  }

  SqlResult run(const std::string& sql, const std::vector<SqlValue>& values = {}) override {
    sqlite3_stmt* statement = nullptr;
    const int prepared = sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
    if (prepared != SQLITE_OK) throw UserError(explain(prepared));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner(statement, sqlite3_finalize);
    for (std::size_t i = 0; i < values.size(); ++i)
      bind(statement, static_cast<int>(i) + 1, values[i]);
    SqlResult result;
    for (;;) {
      const int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) break;
      if (code != SQLITE_ROW) throw UserError(explain(code));
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
  std::string explain(int code) const {
    const std::string where = name() + ": ";
    switch (code & 0xff) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        return str(where, "locked by another process for over ", kPatienceMs / 1000, " s");
      case SQLITE_FULL:
        return where + "no space left for the study; trials that ended are kept";
      case SQLITE_CORRUPT:
        return where +
               "the study is damaged and was left as it is; what can be read of it, "
               "`sqlite3 FILE .recover` prints";
      case SQLITE_NOTADB:
        return where + "expected a study, got a file that is no SQLite database";
      default:
        return where +
               (connection_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection_));
    }
  }

  std::filesystem::path file_;
  sqlite3* connection_ = nullptr;
};

}  // namespace

std::unique_ptr<SqlConnection> open_sqlite(const std::filesystem::path& file, bool create) {
  if (create && file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  if (!create && !std::filesystem::exists(file))
    throw UserError(str(file.string(), ": expected a study, found no file"));
  return std::make_unique<Sqlite>(file, create);
}

}  // namespace xgen::search
