#include <libpq-fe.h>

#include "search/sql_connection.h"

namespace xgen::search {

namespace {

// The last line break of libpq's messages is not wanted; of several lines the first says it.
std::string first_line(const char* message) {
  const std::string text = message;
  return text.substr(0, text.find('\n'));
}

class Postgres : public SqlConnection {
 public:
  Postgres(std::string url, std::string schema) : url_(std::move(url)), schema_(std::move(schema)) {
    connect();
  }
  ~Postgres() override { PQfinish(connection_); }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  // Without user and password.
  std::string name() const override {
    const std::size_t at = url_.rfind('@');
    return (at == std::string::npos ? url_ : "postgresql://" + url_.substr(at + 1)) + " " + schema_;
  }
  void begin(Access access) override {
    if (access == Access::read) {
      run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      return;
    }
    run("BEGIN");
    run("SELECT pg_advisory_xact_lock(hashtext($1))", {schema_});
  }
  bool has_table(const std::string& table) override {
    return !run("SELECT table_name FROM information_schema.tables WHERE table_schema = $1 AND "
                "table_name = $2",
                {schema_, table})
                .rows.empty();
  }
  void reconnect() override {
    PQfinish(connection_);
    connection_ = nullptr;
    connect();
  }
  // By itself the statement fails where another worker makes the schema at the same time.
  void make_schema() {
    transaction([&] {
      run("CREATE SCHEMA IF NOT EXISTS " + quoted(schema_));
      return 0;
    });
  }

  SqlResult run(const std::string& sql, const std::vector<SqlValue>& values = {}) override {
    std::vector<std::string> texts;
    for (const SqlValue& value : values)
      texts.push_back(std::visit([](const auto& v) { return text_of(v); }, value));
    std::vector<const char*> pointers;
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexecParams(connection_, sql.c_str(), static_cast<int>(pointers.size()), nullptr,
                     pointers.data(), nullptr, nullptr, 0),
        PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      const std::string message = str(name(), ": ", first_line(PQerrorMessage(connection_)));
      if (PQstatus(connection_) != CONNECTION_OK) throw ConnectionLost(message);
      throw UserError(message);
    }
    SqlResult answer;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      std::vector<std::string>& cells = answer.rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column)
        cells.emplace_back(PQgetvalue(result.get(), row, column));
    }
    const std::string changed = PQcmdTuples(result.get());
    answer.changed = !changed.empty() && changed != "0";
    return answer;
  }

 private:
  static std::string text_of(const std::string& text) { return text; }
  static std::string text_of(std::int64_t number) { return std::to_string(number); }
  static std::string text_of(double number) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", number);
    return text;
  }
  std::string quoted(const std::string& identifier) {
    const std::unique_ptr<char, void (*)(void*)> text(
        PQescapeIdentifier(connection_, identifier.c_str(), identifier.size()), PQfreemem);
    return text.get();
  }
  void connect() {
    connection_ = PQconnectdb(url_.c_str());
    if (PQstatus(connection_) != CONNECTION_OK)
      throw ConnectionLost(str(name(), ": ", first_line(PQerrorMessage(connection_))));
    // What matters comes as an error; "schema exists already" is no news.
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
    run("SET search_path TO " + quoted(schema_));
  }

  std::string url_, schema_;
  PGconn* connection_ = nullptr;
};

}  // namespace

std::unique_ptr<SqlConnection> connect_postgres(const std::string& url, const std::string& schema,
                                                bool create) {
  auto connection = std::make_unique<Postgres>(url, schema);
  if (create) connection->make_schema();
  return connection;
}

}  // namespace xgen::search
