#include "search/sql_study.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "search/sql_connection.h"
#include "search/study_json.h"

namespace xgen::search {

namespace {

using nlohmann::json;

constexpr int kVersion = 3;  // of the tables

constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS study (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS trials (number BIGINT PRIMARY KEY, point TEXT NOT NULL,"
    " step BIGINT NOT NULL, state TEXT NOT NULL, objectives TEXT NOT NULL, reason TEXT NOT NULL, "
    "worker TEXT NOT NULL,"
    " attempts BIGINT NOT NULL, heard DOUBLE PRECISION NOT NULL)",
    "CREATE TABLE IF NOT EXISTS texts (number BIGINT NOT NULL, name TEXT NOT NULL, text TEXT NOT "
    "NULL, PRIMARY KEY (number, name))"};

constexpr const char* kColumns = "number, point, step, state, objectives, reason, worker, attempts";

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// What `read` makes of a text that is in the database; other programs may have written there, too.
template <class Read>
auto parsed(const std::string& text, const std::string& expected, const Read& read) {
  try {
    return read(nlohmann::ordered_json::parse(text));
  } catch (const nlohmann::json::exception&) {
    throw UserError(str(expected, ", got ", text));
  }
}

// A text of another program, as databases take it.
std::string utf8(const std::string& text) {
  std::string valid = json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
  std::replace(valid.begin(), valid.end(), '\0', ' ');
  return valid;
}

// Keys keep their order, so that the space's text stays what it was.
StudySettings settings_of(const std::string& text, const std::string& database) {
  return parsed(text, database + ": expected the settings of a study",
                [](const nlohmann::ordered_json& j) -> StudySettings {
                  return {j.at("name"),    j.at("space").dump(), j.at("objectives"),
                          j.at("sampler"), j.at("seed"),         j.at("in_flight"),
                          j.at("steps"),   j.at("reduction"),    j.value("bootstrap", 0)};
                });
}

TrialState state_of(const std::string& name, const std::string& where) {
  for (const TrialState state : {TrialState::running, TrialState::finished, TrialState::failed}) {
    if (name == name_of(state)) return state;
  }
  throw UserError(str(where, "expected a state of a trial, got \"", name, "\""));
}

StudyTrial trial_of(const std::vector<std::string>& row, const std::string& database) {
  const std::string where = str(database, ": trial ", row[0], ": ");
  return {std::stoll(row[0]),
          parsed(row[1], where + "expected a point",
                 [](const auto& j) { return j.template get<Point>(); }),
          state_of(row[3], where),
          parsed(row[4], where + "expected objectives",
                 [](const auto& j) { return j.template get<Objectives>(); }),
          row[5],
          row[6],
          std::stoi(row[7]),
          std::stoi(row[2])};
}

class SqlStudy : public StudyStore {
 public:
  explicit SqlStudy(std::unique_ptr<SqlConnection> connection)
      : connection_(std::move(connection)) {}

  void make(const StudySettings& settings) {
    connection_->transaction([&] {
      for (const char* table : kTables) connection_->run(table);
      put("version", std::to_string(kVersion));
      put("settings", to_json(settings).dump());
      return 0;
    });
    const std::string differs = difference(this->settings(), to_json(settings));
    if (!differs.empty())
      throw UserError(str(connection_->name(), ": holds another study; ", differs));
  }

  StudySettings settings() const override {
    return connection_->transaction(
        [&] {
          if (!connection_->has_table("study"))
            throw UserError(connection_->name() + ": expected a study, found none");
          const std::string wanted = std::to_string(kVersion), got = value_of("version");
          if (got != wanted)
            throw UserError(str(connection_->name(), ": expected a study of version ", wanted,
                                ", got \"", got, "\""));
          return settings_of(value_of("settings"), connection_->name());
        },
        Access::read);
  }

  std::vector<StudyTrial> trials() const override {
    return connection_->transaction(
        [&] {
          std::vector<StudyTrial> trials;
          for (const auto& row :
               connection_->run(str("SELECT ", kColumns, " FROM trials ORDER BY number")).rows)
            trials.push_back(trial_of(row, connection_->name()));
          return trials;
        },
        Access::read);
  }

  bool add(std::int64_t number, const Point& point, int step, const std::string& worker) override {
    return connection_->transaction([&] {
      if (std::stoll(connection_->run("SELECT COUNT(*) FROM trials").rows[0][0]) != number)
        return false;
      connection_->run("INSERT INTO trials VALUES ($1, $2, $3, 'running', '[]', '', $4, 1, $5)",
                       {number, json(point).dump(), std::int64_t{step}, worker, now_seconds()});
      return true;
    });
  }

  std::optional<StudyTrial> take_over(const std::string& worker, double silent_seconds) override {
    return connection_->transaction([&]() -> std::optional<StudyTrial> {
      const auto rows =
          connection_
              ->run(str("SELECT ", kColumns,
                        " FROM trials WHERE state = 'running' AND heard < $1 ORDER BY number "
                        "LIMIT 1"),
                    {now_seconds() - silent_seconds})
              .rows;
      if (rows.empty()) return std::nullopt;
      StudyTrial trial = trial_of(rows[0], connection_->name());
      trial.worker = worker;
      ++trial.attempts;
      connection_->run(
          "UPDATE trials SET worker = $1, attempts = attempts + 1, heard = $2 WHERE number = $3",
          {worker, now_seconds(), trial.number});
      return trial;
    });
  }

  bool heartbeat(std::int64_t number, const std::string& worker) override {
    return update("heard = $1", now_seconds(), number, worker);
  }

  void release(std::int64_t number, const std::string& worker) override {
    update("heard = $1", 0.0, number, worker);
  }

  bool finish(std::int64_t number, const std::string& worker,
              const Objectives& objectives) override {
    for (const double value : objectives)
      XGEN_CHECK(std::isfinite(value), "trial ", number, " has an objective of ", value);
    return update("state = 'finished', objectives = $1", json(objectives).dump(), number, worker);
  }

  bool fail(std::int64_t number, const std::string& worker, const std::string& reason) override {
    return update("state = 'failed', reason = $1", utf8(reason), number, worker);
  }

  bool keep(std::int64_t number, const std::string& worker,
            const std::map<std::string, std::string>& texts) override {
    return connection_->transaction([&] {
      const auto own = connection_->run(
          "SELECT number FROM trials WHERE number = $1 AND worker = $2 AND state = 'running'",
          {number, worker});
      if (own.rows.empty()) return false;
      for (const auto& [name, text] : texts)
        connection_->run(
            "INSERT INTO texts VALUES ($1, $2, $3)"
            " ON CONFLICT (number, name) DO UPDATE SET text = excluded.text",
            {number, name, utf8(text)});
      return true;
    });
  }

  std::map<std::string, std::string> kept(std::int64_t number) const override {
    return connection_->transaction(
        [&] {
          std::map<std::string, std::string> texts;
          for (auto& row :
               connection_->run("SELECT name, text FROM texts WHERE number = $1", {number}).rows)
            texts[row[0]] = std::move(row[1]);
          return texts;
        },
        Access::read);
  }

  StudyInputs inputs() const override {
    return connection_->transaction([&] { return held_inputs(); }, Access::read);
  }

  std::string keep_input(const std::string& name, const std::string& text) override {
    return connection_->transaction([&] {
      put(key_of(name), text);
      return value_of(key_of(name));
    });
  }

  void import_contents(const StudyContents& contents) override {
    bool again = false;
    connection_->transaction([&] {
      const auto count = std::stoull(connection_->run("SELECT COUNT(*) FROM trials").rows[0][0]);
      const StudyInputs inputs = held_inputs();
      // A commit that nobody confirmed was done, and others may have gone on.
      if (again && count >= contents.trials.size() && inputs == contents.inputs) return 0;
      again = true;
      if (count != 0)
        throw UserError(
            str(connection_->name(), ": expected a study without trials, found ", count));
      if (!inputs.empty())
        throw UserError(str(connection_->name(), ": expected a study that has measured nothing, ",
                            "found its ", inputs.begin()->first));
      for (const auto& [name, text] : contents.inputs) put(key_of(name), text);
      for (std::size_t i = 0; i < contents.trials.size(); ++i) {
        const StudyTrial& t = contents.trials[i];
        XGEN_CHECK(t.number == static_cast<std::int64_t>(i) && t.state != TrialState::running,
                   "trial ", t.number, " at ", i, " is ", name_of(t.state));
        connection_->run("INSERT INTO trials VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                         {t.number, json(t.point).dump(), static_cast<std::int64_t>(t.step),
                          std::string(name_of(t.state)), json(t.objectives).dump(), t.reason,
                          t.worker, static_cast<std::int64_t>(t.attempts), now_seconds()});
      }
      return 0;
    });
  }

 private:
  std::string value_of(const std::string& key) const {
    const auto rows = connection_->run("SELECT value FROM study WHERE key = $1", {key}).rows;
    return rows.empty() ? "" : rows[0][0];
  }
  // Of an input among what is known of the study.
  static std::string key_of(const std::string& input) { return "input " + input; }
  StudyInputs held_inputs() const {
    StudyInputs inputs;
    for (auto& row :
         connection_->run("SELECT key, value FROM study WHERE key LIKE $1", {key_of("%")}).rows)
      inputs[row[0].substr(key_of("").size())] = std::move(row[1]);
    return inputs;
  }
  // Adds what is not there yet.
  void put(const std::string& key, const std::string& value) {
    connection_->run("INSERT INTO study VALUES ($1, $2) ON CONFLICT DO NOTHING", {key, value});
  }
  // Of a running trial of the worker; false where there is none.
  bool update(const std::string& what, const SqlValue& value, std::int64_t number,
              const std::string& worker) {
    return connection_->transaction([&] {
      return connection_
          ->run(str("UPDATE trials SET ", what,
                    " WHERE number = $2 AND worker = $3 AND state = 'running'"),
                {value, number, worker})
          .changed;
    });
  }

  std::unique_ptr<SqlConnection> connection_;
};

std::unique_ptr<SqlStudy> connected(const std::string& place, const std::string& name,
                                    bool create) {
  const bool server = place.starts_with("postgresql://") || place.starts_with("postgres://");
  return std::make_unique<SqlStudy>(server ? connect_postgres(place, name, create)
                                           : open_sqlite(place, create));
}

}  // namespace

std::unique_ptr<StudyStore> create_study(const std::string& place, const StudySettings& settings) {
  std::unique_ptr<SqlStudy> study = connected(place, settings.name, true);
  study->make(settings);
  return study;
}

std::unique_ptr<StudyStore> open_study(const std::string& place, const std::string& name) {
  std::unique_ptr<SqlStudy> study = connected(place, name, false);
  study->settings();
  return study;
}

}  // namespace xgen::search
