#include "peer_table.hpp"

#include "../report.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <regex>
#include <stdexcept>

namespace bench {
namespace {

// Of the problems of one direction, type and layout.
struct Summary {
  GeometricMean ours_to_floor, best_to_floor, ours_to_best;  // the latter two where there is a peer
  int lost = 0;
};

class PeerTable {
 public:
  PeerTable(const std::vector<Peer>& peers, const Options& options)
      : peers_(peers), rounds_(options.rounds), report_(columns(peers), options.tsv, remarks(peers, options.rounds)) {}

  void print_row(const Problem& problem);
  void print_summaries() const;

 private:
  static std::vector<Report::Column> columns(const std::vector<Peer>& peers);
  static std::vector<std::string> remarks(const std::vector<Peer>& peers, int rounds);

  std::vector<Peer> peers_;
  int rounds_;
  Report report_;
  std::map<std::string, Summary> summaries_;
};

std::vector<Report::Column> PeerTable::columns(const std::vector<Peer>& peers) {
  std::vector<Report::Column> columns{{"floor", 9}, {"eigenpool", 10}};  // all in microseconds
  for (const Peer& peer : peers) columns.push_back({peer.kind.name, 10});
  columns.insert(columns.end(), {{"best", -9}, {"ours/best", 9}, {"ours/floor", 10}, {"best/floor", 10}, {"lost", -4}});
  return with_problem_columns(columns);
}

std::vector<std::string> PeerTable::remarks(const std::vector<Peer>& peers, int rounds) {
  std::vector<std::string> lines = remarks_on_this_run(rounds);
  for (const Peer& peer : peers) lines.push_back(peer.kind.name + ": " + peer.version);
  lines.push_back("floor to the last peer: microseconds of one call, median");
  return lines;
}

constexpr const char* none = "-";
constexpr const char* wrong = "wrong";

// Adds the peer to those that are measured, or says why not in its cell.
std::string enter(const Peer& peer, const Fixture& fixture, std::vector<Contender>& contenders) {
  try {
    Contender contender = fixture.contender(peer.kind);
    if (!contender.run) return none;
    contenders.push_back(std::move(contender));
    return "";
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s: %s\n", fixture.problem().name().c_str(), peer.kind.name.c_str(), error.what());
    return wrong;
  }
}

void PeerTable::print_row(const Problem& problem) {
  const Fixture fixture(problem);
  std::vector<Contender> contenders{fixture.contender(eigenpool_kind), fixture.contender(floor_kind)};
  if (!contenders[0].run) return;  // not built for this type or rank
  std::vector<std::string> peer_cells;
  for (const Peer& peer : peers_) peer_cells.push_back(enter(peer, fixture, contenders));
  take_turns(contenders, rounds_);

  auto measured = contenders.begin() + 2;
  for (std::string& cell : peer_cells) {
    if (cell.empty()) cell = number(1e6 * (measured++)->median(), 2);
  }
  const double ours = contenders[0].median(), floor = contenders[1].median();
  const auto best = std::min_element(contenders.begin() + 2, contenders.end(),
                                     [](const auto& a, const auto& b) { return a.median() < b.median(); });

  std::vector<std::string> cells{number(1e6 * floor, 2), number(1e6 * ours, 2)};
  cells.insert(cells.end(), peer_cells.begin(), peer_cells.end());
  Summary& summary = summaries_[mean_name(problem)];
  summary.ours_to_floor.add(ours / floor);
  if (best == contenders.end()) {
    cells.insert(cells.end(), {none, none, number(ours / floor, 2), none, ""});
  } else {
    const double seconds = best->median();
    summary.ours_to_best.add(ours / seconds);
    summary.best_to_floor.add(seconds / floor);
    summary.lost += ours > seconds;
    cells.insert(cells.end(), {best->kind.name, number(ours / seconds, 2), number(ours / floor, 2),
                               number(seconds / floor, 2), ours > seconds ? "LOST" : ""});
  }
  report_.row(with_problem_cells(problem, cells));
}

std::string text_of(const GeometricMean& mean) { return mean.count() > 0 ? number(mean.value(), 2) : none; }

void PeerTable::print_summaries() const {
  std::printf("\n%-35s %10s %10s %10s %s\n", "geometric means", "ours/best", "ours/floor", "best/floor", "lost");
  for (const auto& [name, s] : summaries_) {
    std::printf("%-35s %10s %10s %10s %2d of %d\n", name.c_str(), text_of(s.ours_to_best).c_str(),
                text_of(s.ours_to_floor).c_str(), text_of(s.best_to_floor).c_str(), s.lost, s.ours_to_best.count());
  }
}

}  // namespace

bool print_peer_table(const std::vector<Peer>& peers, const Options& options) {
  const std::regex wanted(options.filter);
  const CaseTable cases = read_cases(options.cases);
  PeerTable table(peers, options);
  bool all_right = true;
  for (const Case& c : cases.cases) {
    for (const Problem& problem : problems_of(c)) {
      if (!std::regex_search(problem.name(), wanted)) continue;
      try {
        table.print_row(problem);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", problem.name().c_str(), error.what());
        all_right = false;
      }
    }
  }
  table.print_summaries();
  return all_right;
}

}  // namespace bench
