(* I4: a limit of the biases.  Every row is the same at two points u, v, or a relu follows and it is at most c at x.  Let t > c.  Then
   between x and u, and between x and v, near enough to x, every row of the second kind is at most t: lowered by t, it is off at both
   points.  So these two points, at the same part of the way, collide. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts Claims InjectivityClaims.
From ExactRelu Require Import Systems Checker InjectivityChecks EvaluationSound AffinePieces ConvexDomains Soundness.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section BiasLimit.
Variable R : realFieldType.
Implicit Types (x u v : seq R) (t c s : R) (rbs : seq (row * bool)).

(* a row never separates u and v near x when t is subtracted from it *)
Definition never_separated c x u v (rb : row * bool) : Prop :=
  row_at u rb.1 = row_at v rb.1 \/ rb.2 /\ row_at x rb.1 <= c.

(* how far the rows rise above t on the way, and a part of the way on which those that are at most c < t stay at most t *)
Lemma near_enough t c x u v rbs : c < t -> exists2 s, 0 < s <= 1 & forall rb, List.In rb rbs -> row_at x rb.1 <= c ->
  (1 - s) * row_at x rb.1 + s * row_at u rb.1 <= t /\ (1 - s) * row_at x rb.1 + s * row_at v rb.1 <= t.
Proof.
move=> ct; have below p q s : 0 < s <= 1 -> p <= c -> s * `|q - c| <= t - c -> (1 - s) * p + s * q <= t.
  case/andP=> s0 s1 pc hs; rewrite -[t](subrK c) -[X in X + c]addr0 addrAC.
  have -> : (1 - s) * p + s * q = s * (q - c) + (1 - s) * (p - c) + c by ring.
  rewrite addr0 ler_add2r; apply: (@le_trans _ _ (s * (q - c))).
    by rewrite -ler_subr_addl subrr mulr_ge0_le0 // ?subr_ge0 // subr_le0.
  by apply: le_trans hs; rewrite ler_pmul2l // ler_norm.
pose M := \sum_(rb <- rbs) (`|row_at u rb.1 - c| + `|row_at v rb.1 - c|).
have M0 : 0 <= M by apply: sumr_ge0 => rb _; rewrite addr_ge0.
have tc : 0 < t - c by rewrite subr_gt0.
have den : 0 < M + (t - c) by rewrite ltr_paddl.
have hs : 0 < (t - c) / (M + (t - c)) <= 1 by rewrite divr_gt0 // ler_pdivr_mulr // mul1r ler_addr.
exists ((t - c) / (M + (t - c))) => // rb hrb hx.
have part q : q <= M -> (t - c) / (M + (t - c)) * q <= t - c.
  move=> hq; rewrite mulrAC ler_pdivr_mulr // ler_pmul2l //; apply: le_trans hq _; by rewrite ler_addl ltW.
have hM : `|row_at u rb.1 - c| + `|row_at v rb.1 - c| <= M.
  rewrite /M; elim: (rbs) hrb => //= rb' rbs' IH [->|/IH h]; rewrite big_cons.
    by rewrite ler_addl sumr_ge0 // => i _; rewrite addr_ge0.
  by apply: le_trans h _; rewrite ler_addr addr_ge0.
by split; apply: below => //; apply: part; apply: le_trans hM; rewrite ?ler_addl ?ler_addr.
Qed.

(* I4: at such points, above the limit, there is a collision. *)
Theorem collision_above_limit n K l c t x u v : size x = n -> size u = n -> size v = n -> in_convex_domain n K x ->
  in_convex_domain n K u -> in_convex_domain n K v -> u <> v -> c < t ->
  (forall rb, List.In rb (zip (rows l) (rectified l)) -> never_separated c x u v rb) ->
  exists p q, collision n K (lowered_layer_at t l) p q.
Proof.
move=> sx su sv kx ku kv uv ct hrows; have [s hs near] := near_enough x u v (zip (rows l) (rectified l)) ct.
have /andP[s0 s1] := hs; have part : 0 <= s <= 1 by rewrite ltW.
have [exu exv] : size x = size u /\ size x = size v by rewrite sx su sv.
exists (mix (1 - s) s x u), (mix (1 - s) s x v); split.
- by rewrite !size_mix.
- exact: in_convex_domain_between.
- exact: in_convex_domain_between.
- move=> e; apply: uv; apply: (@eq_from_nth _ 0); first by rewrite su sv.
  move=> j _; have := congr1 (fun p => nth 0 p j) e; rewrite !nth_mix // => /addrI/mulfI; apply.
  by rewrite gt_eqF.
- apply/eq_map_In => -[r b] hin /=; rewrite !row_at_mix ?subrK //.
  case: (hrows _ hin) => /= [-> //|[-> low]]; have [h1 h2] := near _ hin low.
  by rewrite !max_l ?subr_le0.
Qed.

Lemma limitsP (t : fraction) l (x u v : point) : Z.lt 0 (below t) -> is_point (inputs l) x -> is_point (inputs l) u ->
  is_point (inputs l) v -> limits t l (row_values l x) (row_values l u) (row_values l v) ->
  forall rb, List.In rb (zip (rows l) (rectified l)) ->
  never_separated (value_of R t) (rational R x) (rational R u) (rational R v) rb.
Proof.
move=> ht [hx _] [hu _] [hv _]; have positive w : Z.lt 0 (denominator w) -> Z.lt 0 (denominator (row_values l w)).
  exact: (row_values_denominator R).
rewrite /limits forallbE !tmap2E tmapE !numerators_row_values => hall.
have {}hall (rb : row * bool) : List.In rb (zip (rows l) (rectified l)) ->
    Z.eqb (Z.mul (row_numerator l u rb.1) (denominator (row_values l v))) (Z.mul (row_numerator l v rb.1) (denominator (row_values l u)))
    || Z.leb (Z.mul (row_numerator l x rb.1) (below t)) (Z.mul (above t) (denominator (row_values l x))) && rb.2.
  move: hall; move: (denominator (row_values l v)) (denominator (row_values l u)) (denominator (row_values l x)) => dv du dx.
  elim: (rows l) (rectified l) => [|r rs IH] [|b bs] //= /andP[h /IH {}IH] [<-|/IH] //.
move=> rb hrb; have hr : List.In rb.1 (rows l).
  by elim: (rows l) (rectified l) hrb => [|r rs IH] [|b bs] //= [<-|/IH]; [left | right].
have value w : Z.lt 0 (denominator w) ->
    row_at (rational R w) rb.1 = embed (row_numerator l w rb.1) / embed (denominator (row_values l w)).
  by move=> hw; rewrite row_numerator_value.
case/orP: (hall rb hrb) => [h|/andP[h hb]]; [left | right; split=> //].
  by rewrite !value //; apply/eqP; rewrite fraction_eq //; apply: positive.
by rewrite value // /value_of fraction_le //; apply: positive.
Qed.

(* I4: the soundness of the check, over every ordered field: a certificate of a bias limit that is accepted makes a true claim. *)
Theorem check_bias_limit_sound net (c : bias_limit_certificate) : check_bias_limit net c = true -> bias_limit_claim_holds R net c.
Proof.
case/andP=> /network_ok_widths_agree hw; case hs: split_layers => [[before l]|] //.
case/andP=> /andP[/andP[/andP[/andP[/andP[/convex_domain_ok_is_convex_domain hK /Z.ltb_lt ht] /andP[/point_ok_is_point hx kx]]]]].
case/andP=> /point_ok_is_point hu ku /andP[/point_ok_is_point hv kv] hne hlim.
have [after [hn hnumber]] := split_layersP hs; exists before, l, after; split=> // t hlt.
have [[_ sx] [hDu su] [hDv sv]] := And3 hx hu hv.
apply: (collision_above_limit (x := rational R (common_input c)) (u := rational R (first_direction c))
  (v := rational R (second_direction c)) (c := value_of R (bias_limit c))); rewrite ?size_rational //; try exact: convex_contains_sound.
- by move/(@rational_same R _ _ hDu hDv); apply/negP.
- exact: limitsP hlim.
Qed.
End BiasLimit.
