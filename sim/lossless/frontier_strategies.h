#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policies/depth/owned_frontier.h"
#include "sim/lossless/draft_model.h"

namespace dspark {

/// What went through all strategies of a frontier.
struct FrontierProof {
  std::int64_t states = 0;  // sequences of moves × what they showed
  std::optional<std::string> leak =
      {};  // two draws that agree on what is admitted, and what tells them apart
};

/// Goes through every strategy on a frontier of small blocks: every sequence of moves (the best token
/// admitted or skipped, a request's next token admitted or skipped, the best k admitted, all admitted), each
/// where earlier moves led, and checks after each move that everything shown is a function of the tokens
/// admitted: two joint draws that agree on these have shown the same so far. Then whatever a policy makes of
/// it, its submitted set is a stopping set (LOSSLESS.md, lemma 1); so no policy that sees draws through this
/// frontier alone can change the output, whatever its internal state.
///
/// `Frontier` is OwnedFrontier, or what a test plants in its place. `ends`: drafts may end early behind a
/// token, as a draft stop decides.
template <class Frontier>
class FrontierStrategies {
 public:
  FrontierStrategies(const SystemSize& size, DraftModels models, bool ends)
      : size_(size), models_(std::move(models)) {
    std::vector<int> tokens(static_cast<std::size_t>(size.requests * size.block_size));
    const std::vector<int> accepted(static_cast<std::size_t>(size.requests), 0);
    for (std::int64_t number = 0; number < size.draws(); ++number) {
      write_tokens(number, size.vocabulary, tokens);
      Draw draw{tokens, {}};
      draw.blocks.fill(models_, ConfidenceSource::kConfidence, tokens, accepted);
      for (int r = 0; ends && r < size.requests; ++r) {
        int& drafted = draw.blocks.drafted[static_cast<std::size_t>(r)];
        // Ends behind the first token B, an arbitrary stop.
        for (int k = 1; k < drafted; ++k) {
          if (token(draw, r, k) == 1) drafted = k;
        }
      }
      draws_.push_back(std::move(draw));
    }
  }

  FrontierProof prove() {
    std::vector<std::size_t> all(draws_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    extend({}, all);
    return std::move(proof_);
  }

 private:
  struct Draw {
    std::vector<int> tokens;
    DrawnBlocks blocks;
  };
  enum class Kind { kAdmitBest, kSkipBest, kAdmitHead, kSkipHead, kAdmitMany, kAdmitAll };
  struct Move {
    Kind kind;
    int argument = 0;  // request, or how many
  };
  struct Shown {
    std::vector<double> transcript;
    std::vector<int> admitted;
  };

  int token(const Draw& draw, int r, int k) const {
    return draw.tokens[static_cast<std::size_t>(r * size_.block_size + k - 1)];
  }

  std::vector<Move> moves() const {
    std::vector<Move> list{{Kind::kAdmitBest}, {Kind::kSkipBest}, {Kind::kAdmitAll}};
    for (int r = 0; r < size_.requests; ++r) {
      list.push_back({Kind::kAdmitHead, r});
      list.push_back({Kind::kSkipHead, r});
    }
    for (int k = 2; k <= size_.requests * size_.block_size; ++k) list.push_back({Kind::kAdmitMany, k});
    return list;
  }

  static void show(const std::optional<FrontierToken>& token, std::vector<double>& transcript) {
    transcript.push_back(token ? 1 : 0);
    if (!token) return;
    transcript.insert(
        transcript.end(),
        {static_cast<double>(token->request), static_cast<double>(token->position), token->survival,
         token->signals.confidence, token->signals.top1, token->signals.margin, token->signals.entropy});
  }

  static void apply(const Move& move, Frontier& frontier, std::vector<double>& transcript) {
    if (move.kind == Kind::kAdmitMany) return frontier.admit_best(move.argument);
    if (move.kind == Kind::kAdmitAll) return frontier.admit_all();
    const bool head = move.kind == Kind::kAdmitHead || move.kind == Kind::kSkipHead;
    const auto token = head ? frontier.head(move.argument) : frontier.best();
    show(token, transcript);
    if (!token) return;
    if (move.kind == Kind::kAdmitBest || move.kind == Kind::kAdmitHead) {
      frontier.admit();
    } else {
      frontier.skip();
    }
  }

  /// All that a strategy has seen after `path`, and what it can ask without a further move.
  Shown play(const std::vector<Move>& path, const Draw& draw) {
    Shown shown;
    frontier_.reset(draw.blocks.columns());
    for (const Move& move : path) apply(move, frontier_, shown.transcript);
    shown.admitted.assign(frontier_.admitted().begin(), frontier_.admitted().end());
    shown.transcript.insert(shown.transcript.end(), shown.admitted.begin(), shown.admitted.end());
    shown.transcript.push_back(frontier_.total_admitted());
    shown.transcript.push_back(frontier_.expected_accepted());
    for (int r = 0; r < size_.requests; ++r) {
      for (int k = 1; k <= shown.admitted[static_cast<std::size_t>(r)]; ++k) {
        shown.transcript.push_back(frontier_.drawn(r, k).chosen);
      }
    }
    show(frontier_.best(), shown.transcript);
    for (int r = 0; r < size_.requests; ++r) show(frontier_.head(r), shown.transcript);
    return shown;
  }

  bool agree(const Draw& a, const Draw& b, const std::vector<int>& admitted) const {
    for (int r = 0; r < size_.requests; ++r) {
      for (int k = 1; k <= admitted[static_cast<std::size_t>(r)]; ++k) {
        if (token(a, r, k) != token(b, r, k)) return false;
      }
    }
    return true;
  }

  /// `alike`: draws that have shown the same after `path`.
  void extend(const std::vector<Move>& path, const std::vector<std::size_t>& alike) {
    for (const Move& move : moves()) {
      std::vector<Move> further = path;
      further.push_back(move);
      std::map<std::vector<double>, std::vector<std::size_t>> classes;
      std::vector<Shown> shown(alike.size());
      for (std::size_t i = 0; i < alike.size(); ++i) {
        shown[i] = play(further, draws_[alike[i]]);
        classes[shown[i].transcript].push_back(alike[i]);
      }
      check(alike, shown);
      if (proof_.leak) return;
      proof_.states += static_cast<std::int64_t>(classes.size());
      // Each move admits a token or closes a request, or finds nothing left to do.
      if (further.size() >= static_cast<std::size_t>(size_.requests * size_.block_size)) continue;
      for (const auto& [transcript, members] : classes) {
        extend(further, members);
        if (proof_.leak) return;
      }
    }
  }

  void check(const std::vector<std::size_t>& alike, const std::vector<Shown>& shown) {
    for (std::size_t a = 0; a < alike.size(); ++a) {
      for (std::size_t b = 0; b < alike.size(); ++b) {
        const Draw &first = draws_[alike[a]], &second = draws_[alike[b]];
        if (shown[a].transcript == shown[b].transcript || !agree(first, second, shown[a].admitted)) continue;
        proof_.leak = draw_text(first.tokens, size_.requests) + " and " +
                      draw_text(second.tokens, size_.requests) + " are told apart by what is not admitted";
        return;
      }
    }
  }

  SystemSize size_;
  DraftModels models_;
  std::vector<Draw> draws_;
  Frontier frontier_;
  FrontierProof proof_;
};

}  // namespace dspark
