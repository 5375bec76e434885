#include "search/sqlite_study.h"

#include <sqlite3.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "core/error.h"

namespace xgen::search {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;             // of the tables
constexpr int kPatienceMs = 60 * 1000;  // with a locked file

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS study (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS trials (number INTEGER PRIMARY KEY, point TEXT NOT NULL,"
    " state TEXT NOT NULL, objectives TEXT NOT NULL, reason TEXT NOT NULL, worker TEXT NOT NULL,"
    " attempts INTEGER NOT NULL, heard REAL NOT NULL);"
    "CREATE TABLE IF NOT EXISTS measurements (key TEXT PRIMARY KEY, value REAL NOT NULL);";

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

json to_json(const StudySettings& s) {
  return {{"name", s.name},       {"space", s.space}, {"objectives", s.objectives},
          {"sampler", s.sampler}, {"seed", s.seed},   {"in_flight", s.in_flight}};
}

StudySettings settings_of(const json& j) {
  return {j.at("name"),    j.at("space"), j.at("objectives"),
          j.at("sampler"), j.at("seed"),  j.at("in_flight")};
}

TrialState state_of(const std::string& name) {
  for (const TrialState state : {TrialState::running, TrialState::finished, TrialState::failed}) {
    if (name == name_of(state)) return state;
  }
  throw UserError(str("expected a state of a trial, got \"", name, "\""));
}

}  // namespace

/// A connection, and the one place that speaks to it.
class SqliteStudy::Database {
 public:
  using Value = std::variant<std::int64_t, double, std::string>;

  Database(const std::filesystem::path& file, int flags) : file_(file) {
    const int code = sqlite3_open_v2(file.c_str(), &connection_, flags, nullptr);
    if (code != SQLITE_OK) {
      const std::string message = explain(code);
      sqlite3_close(connection_);
      throw UserError(message);
    }
    sqlite3_busy_timeout(connection_, kPatienceMs);
    try {
      // A commit is on the disk before it is told; readers do not wait for writers.
      run("PRAGMA journal_mode = WAL");
      run("PRAGMA synchronous = FULL");
    } catch (...) {
      sqlite3_close(connection_);
      throw;
    }
  }
  ~Database() { sqlite3_close(connection_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Rows of text, one statement. @return what the columns hold, NULL as "".
  std::vector<std::vector<std::string>> run(const std::string& sql,
                                            const std::vector<Value>& values = {}) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner(statement, sqlite3_finalize);
    for (std::size_t i = 0; i < values.size(); ++i)
      bind(statement, static_cast<int>(i) + 1, values[i]);
    std::vector<std::vector<std::string>> rows;
    for (;;) {
      const int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) return rows;
      if (code != SQLITE_ROW) throw UserError(explain(code));
      std::vector<std::string>& row = rows.emplace_back();
      for (int column = 0; column < sqlite3_column_count(statement); ++column) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
        row.emplace_back(text == nullptr ? "" : text);
      }
    }
  }
  void script(const char* sql) const {
    check(sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr));
  }
  /// Whether the last statement changed anything.
  bool changed() const { return sqlite3_changes(connection_) > 0; }

  /// Everything that `work` does, or nothing; nobody else writes meanwhile.
  template <class Work>
  auto transaction(const Work& work) const {
    run("BEGIN IMMEDIATE");
    try {
      auto result = work();
      run("COMMIT");
      return result;
    } catch (...) {
      sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  }

  const std::filesystem::path& file() const { return file_; }

 private:
  static void bind_text(sqlite3_stmt* statement, int at, const std::string& text) {
    sqlite3_bind_text(statement, at, text.c_str(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  static void bind(sqlite3_stmt* statement, int at, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
      sqlite3_bind_int64(statement, at, *number);
    else if (const auto* real = std::get_if<double>(&value))
      sqlite3_bind_double(statement, at, *real);
    else
      bind_text(statement, at, std::get<std::string>(value));
  }
  void check(int code) const {
    if (code != SQLITE_OK) throw UserError(explain(code));
  }
  std::string explain(int code) const {
    const std::string where = str(file_.string(), ": ");
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

namespace {

constexpr const char* kColumns = "number, point, state, objectives, reason, worker, attempts";

StudyTrial trial_of(const std::vector<std::string>& row) {
  return {std::stoll(row[0]),
          json::parse(row[1]).get<Point>(),
          state_of(row[2]),
          json::parse(row[3]).get<Objectives>(),
          row[4],
          row[5],
          std::stoi(row[6])};
}

// What two studies differ in, for a message.
std::string difference(const json& expected, const json& found) {
  for (const auto& [key, value] : expected.items()) {
    if (found.value(key, json()) != value)
      return str("/", key, ": expected ", value.dump(), ", got ", found.value(key, json()).dump());
  }
  return "";
}

}  // namespace

SqliteStudy::SqliteStudy(std::unique_ptr<Database> database) : database_(std::move(database)) {}
SqliteStudy::~SqliteStudy() = default;

std::unique_ptr<SqliteStudy> SqliteStudy::create(const std::filesystem::path& file,
                                                 const StudySettings& settings) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  auto database = std::make_unique<Database>(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  database->transaction([&] {
    database->script(kTables);
    database->run("INSERT OR IGNORE INTO study VALUES ('version', ?)", {std::to_string(kVersion)});
    database->run("INSERT OR IGNORE INTO study VALUES ('settings', ?)", {to_json(settings).dump()});
    return 0;
  });
  std::unique_ptr<SqliteStudy> study(new SqliteStudy(std::move(database)));
  if (const std::string differs = difference(to_json(study->settings()), to_json(settings));
      !differs.empty())
    throw UserError(str(file.string(), ": holds another study; ", differs));
  return study;
}

std::unique_ptr<SqliteStudy> SqliteStudy::open(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file))
    throw UserError(str(file.string(), ": expected a study, found no file"));
  std::unique_ptr<SqliteStudy> study(
      new SqliteStudy(std::make_unique<Database>(file, SQLITE_OPEN_READWRITE)));
  study->settings();
  return study;
}

StudySettings SqliteStudy::settings() const {
  const std::string where = database_->file().string();
  const auto tables =
      database_->run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'study'");
  if (tables.empty()) throw UserError(str(where, ": expected a study, got another database"));
  const auto version = database_->run("SELECT value FROM study WHERE key = 'version'");
  const std::string wanted = std::to_string(kVersion), got = version.empty() ? "" : version[0][0];
  if (got != wanted)
    throw UserError(str(where, ": expected a study of version ", wanted, ", got \"", got, "\""));
  return settings_of(
      json::parse(database_->run("SELECT value FROM study WHERE key = 'settings'").at(0).at(0)));
}

std::vector<StudyTrial> SqliteStudy::trials() const {
  std::vector<StudyTrial> trials;
  for (const auto& row : database_->run(str("SELECT ", kColumns, " FROM trials ORDER BY number")))
    trials.push_back(trial_of(row));
  return trials;
}

bool SqliteStudy::add(std::int64_t number, const Point& point, const std::string& worker) {
  return database_->transaction([&] {
    const auto count = database_->run("SELECT COUNT(*) FROM trials");
    if (std::stoll(count[0][0]) != number) return false;
    database_->run("INSERT INTO trials VALUES (?, ?, 'running', '[]', '', ?, 1, ?)",
                   {number, json(point).dump(), worker, now_seconds()});
    return true;
  });
}

std::optional<StudyTrial> SqliteStudy::take_over(const std::string& worker, double silent_seconds) {
  return database_->transaction([&]() -> std::optional<StudyTrial> {
    const auto rows = database_->run(
        str("SELECT ", kColumns,
            " FROM trials WHERE state = 'running' AND heard < ? ORDER BY number LIMIT 1"),
        {now_seconds() - silent_seconds});
    if (rows.empty()) return std::nullopt;
    StudyTrial trial = trial_of(rows[0]);
    trial.worker = worker;
    ++trial.attempts;
    database_->run(
        "UPDATE trials SET worker = ?, attempts = attempts + 1, heard = ? WHERE number = ?",
        {worker, now_seconds(), trial.number});
    return trial;
  });
}

bool SqliteStudy::heartbeat(std::int64_t number, const std::string& worker) {
  return database_->transaction([&] {
    database_->run(
        "UPDATE trials SET heard = ? WHERE number = ? AND worker = ? AND state = 'running'",
        {now_seconds(), number, worker});
    return database_->changed();
  });
}

bool SqliteStudy::finish(std::int64_t number, const std::string& worker,
                         const Objectives& objectives) {
  for (const double value : objectives)
    XGEN_CHECK(std::isfinite(value), "trial ", number, " has an objective of ", value);
  return database_->transaction([&] {
    database_->run(
        "UPDATE trials SET state = 'finished', objectives = ?"
        " WHERE number = ? AND worker = ? AND state = 'running'",
        {json(objectives).dump(), number, worker});
    return database_->changed();
  });
}

bool SqliteStudy::fail(std::int64_t number, const std::string& worker, const std::string& reason) {
  return database_->transaction([&] {
    database_->run(
        "UPDATE trials SET state = 'failed', reason = ?"
        " WHERE number = ? AND worker = ? AND state = 'running'",
        {reason, number, worker});
    return database_->changed();
  });
}

std::optional<double> SqliteStudy::measurement(const std::string& key) const {
  const auto rows =
      database_->run("SELECT printf('%!.17g', value) FROM measurements WHERE key = ?", {key});
  if (rows.empty()) return std::nullopt;
  return std::stod(rows[0][0]);
}

void SqliteStudy::record_measurement(const std::string& key, double value) {
  database_->transaction([&] {
    database_->run("INSERT OR IGNORE INTO measurements VALUES (?, ?)", {key, value});
    return 0;
  });
}

}  // namespace xgen::search
