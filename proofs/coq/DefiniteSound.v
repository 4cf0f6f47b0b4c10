(* Layers that are accepted with a matrix Q are injective (I14): where they are affine maps W, and r . Q W r > 0 for every r that is not 0,
   the product r . Q f(x + t r) grows with t.  It grows along the whole segment between two points of the domain, by induction on the tree:
   where a neuron cuts a cell, the segment meets the cut in a point that lies in both parts. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts Claims InjectivityClaims Systems.
From ExactRelu Require Import EvaluationSound AffinePieces DependencySound DefiniteMatricesSound.
From ExactRelu Require Import RegionCertificate RegionClaims FormsOnBalls RegionTree RegionTreeSound DefiniteChecks.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Definite.
Variables (R : realFieldType) (propose : seq (seq form) -> form -> nat * (Z * seq Z)) (n : nat) (weights : seq (seq Z)).
Implicit Types (x y : seq R) (f : form) (cell rows : seq form) (s : layer_in_cell).

Notation good := (@good R n).
Notation evaluates := (@evaluates R n).

(* ---------- along a direction ---------- *)

Section Direction.
Variable r : seq R.
Hypotheses (size_weights : size weights = n) (size_r : size r = n) (r_not_0 : exists j, nth 0 r j != 0).

(* x + t r *)
Definition along (t : R) x : seq R := mix 1 t x r.
Lemma size_along t x : size x = n -> size (along t x) = n.
Proof. by move=> hx; rewrite size_mix size_r. Qed.
Lemma along_along t u x : size x = n -> along u (along t x) = along (t + u) x.
Proof.
move=> hx; have hs := size_along t hx; apply: (@eq_from_nth _ 0) => [|j _]; first by rewrite !size_along.
by rewrite !nth_mix ?hs ?hx ?size_r //; ring.
Qed.
Lemma value_along f t x : size x = n -> value f (along t x) = value f x + t * dotR (List.tl f) r.
Proof. by move=> hx; rewrite /value; case: f => [|c a] /=; rewrite ?mulr0 ?addr0 // dotR_mix ?hx ?size_r // mul1r addrA. Qed.
(* A segment with its ends in a cell lies in the cell. *)
Lemma in_cell_along cell t u x : size x = n -> 0 <= u <= t -> 0 < t -> in_cell cell x -> in_cell cell (along t x) ->
  in_cell cell (along u x).
Proof.
move=> hx /andP[u0 ut] t0 h0 ht f hf; have := h0 f hf; have := ht f hf; rewrite !value_along //.
move: (value f x) (dotR _ r) => v d hvt hv; rewrite -(pmulr_rge0 _ t0).
have -> : t * (v + u * d) = u * (v + t * d) + (t - u) * v by ring.
by rewrite addr_ge0 // mulr_ge0 // subr_ge0.
Qed.

(* r . Q y *)
Definition height y : R := bilinear weights r y.

(* ---------- one cell ---------- *)

(* the slopes of forms, times a vector *)
Lemma dotR_forms (q : seq Z) (fs : seq form) (u : R) t x : size x = n ->
  dotR q [seq dotR f (1 :: along t x) / u | f <- fs] =
  dotR q [seq dotR f (1 :: x) / u | f <- fs] + t / u * dots q (tmap (@List.tl Z) fs) r.
Proof.
move=> hx; rewrite tmapE; elim: q fs => [|w q IH] [|f fs] /=; rewrite ?mulr0 ?addr0 // IH.
rewrite -/(value f _) -/(value f x) value_along //.
by move: (value f x) (dotR _ r) (dotR q _) (dots q _ r) (embed w) => a b c d e; rewrite !mulrDl !mulrDr; ring.
Qed.

Lemma height_grows s t x (k := unit_of s) : 0 < t -> Z.lt 0 k -> size x = n -> (forall f, List.In f (given_forms s) -> size f = n.+1) ->
  has_definite_map n weights s ->
  height [seq dotR f (1 :: x) / embed k | f <- given_forms s] < height [seq dotR f (1 :: along t x) / embed k | f <- given_forms s].
Proof.
move=> t0 hk hx hf hd; rewrite -subr_gt0.
have -> : height [seq dotR f (1 :: along t x) / embed k | f <- given_forms s] -
    height [seq dotR f (1 :: x) / embed k | f <- given_forms s] =
    t / embed k * bilinear (product_with n weights (given_forms s)) r r.
  rewrite /height /product_with tmapE.
  have step qs w : bilinear qs w [seq dotR f (1 :: along t x) / embed k | f <- given_forms s] -
      bilinear qs w [seq dotR f (1 :: x) / embed k | f <- given_forms s] =
      t / embed k * bilinear [seq combination q (tmap (@List.tl Z) (given_forms s)) (zeros n) | q <- qs] w r; last exact: step.
  elim: qs w => [|q qs IH] [|v w] /=; rewrite ?subrr ?mulr0 //.
  rewrite dotR_forms // dotR_combination dotR_zeros add0r [t / _ * (_ + _)]mulrDr -IH.
  by move: (dotR q _) (bilinear _ w _) (bilinear _ w _) (dots q _ r) (t / _) => a b c d e; ring.
rewrite mulr_gt0 ?divr_gt0 ?embed_gt0 //.
apply: definite_form_positive hd r_not_0 => //; rewrite /product_with tmapE ?size_map // => a h.
have [q _ ->] := In_map h; apply: size_combination => [|b]; first by rewrite zerosE size_nseq.
by rewrite tmapE => hb; have [f /hf hs ->] := In_map hb; case: f hs => //= c f [].
Qed.

Lemma zero_between (v d t : R) : 0 < t -> v * (v + t * d) < 0 -> exists u, [/\ 0 < u, u < t & v + u * d = 0].
Proof.
move=> t0 h; have d0 : d != 0 by apply: contraTneq h => ->; rewrite mulr0 addr0 -leNgt -expr2 sqr_ge0.
have d2 : 0 < d ^+ 2 by rewrite lt_neqAle sqr_ge0 eq_sym sqrf_eq0 d0.
have vd : 0 < - (v * d).
  rewrite -(pmulr_rgt0 _ t0) mulrN oppr_gt0; apply: le_lt_trans h.
  by rewrite mulrDr [v * (t * d)]mulrCA ler_addr -expr2 sqr_ge0.
have hu : - v / d * d = - v by rewrite divfK.
have u0 : 0 < - v / d by rewrite -(pmulr_lgt0 _ d2) expr2 mulrA hu mulNr.
exists (- v / d); split=> //; last by rewrite hu subrr.
rewrite -subr_gt0 -(pmulr_lgt0 _ u0) -(pmulr_lgt0 _ d2).
have -> : (t - - v / d) * (- v / d) * d ^+ 2 = (t * d - - v / d * d) * (- v / d * d) by ring.
by rewrite hu opprK mulrN oppr_gt0 mulrC addrC.
Qed.

(* I14: between two points of a cell on a line with the direction r the height grows. *)
Theorem definite_in_sound net tree cell rows inherited s t x : good net cell s -> evaluates net cell s ->
  (forall y, in_cell cell y -> in_cell rows y) -> definite_in propose n weights tree rows inherited s ->
  0 < t -> size x = n -> in_cell cell x -> in_cell cell (along t x) -> height (layers_at net x) < height (layers_at net (along t x)).
Proof.
elim: tree cell rows inherited s t x => [new j kept off IHoff on IHon|new] cell rows inherited s t x hg he hrows /=;
  set s' := settled_in _ _ _ _ _ _;
  have [{}hg /(_ he){}he] : good net cell s' /\ _ := settled_in_good propose new inherited hrows hg; last first.
  case/andP=> /andP[hk hl] hd t0 hx hc hct; have hlater : later s' = [::] by case: later hl.
  have [[hu _] _ _ _ _] := hg; rewrite !he ?size_along // hlater /layers_at /= !(out_known hg hk) //.
  by apply: height_grows => // f; apply: size_given_forms hg.
case hn: neuron_of => [[place f]|] //; have hj := neuron_ofP hn => /andP[/andP[hz hoff] hon] t0 hx hc hct.
(* the points between on one side of the cut *)
have part (b : bool) (u v : R) : u < v -> 0 <= u -> v <= t ->
    (forall w, w = u \/ w = v -> if b then 0 <= value f (along w x) else value f (along w x) <= 0) ->
    height (layers_at net (along u x)) < height (layers_at net (along v x)).
  move=> uv u0 vt hside; have v0 : 0 <= v by rewrite (le_trans u0) // ltW.
  have hcu : in_cell cell (along u x) by apply: in_cell_along hct => //; rewrite u0 (le_trans (ltW uv)).
  have hcv : in_cell cell (along v x) by apply: in_cell_along hct => //; rewrite v0.
  have e : along v x = along (v - u) (along u x) by rewrite along_along // addrC subrK.
  have hin (w : R) : w = u \/ w = v -> in_cell cell (along w x) -> in_cell ((if b then f else opposite f) :: cell) (along w x).
    move=> /hside h hw f' [<-|/hw //]; case: (b) h => // h; by rewrite value_opposite oppr_ge0.
  have hg' := with_sign_good b hg hj hz (fun y (h : in_cell cell y) => h).
  have he' : evaluates net ((if b then f else opposite f) :: cell) (with_sign place b s').
    by move=> y hy h; apply: he => // f' hf'; apply: h; right.
  have hrows' y : in_cell ((if b then f else opposite f) :: cell) y -> in_cell ((if b then f else opposite f) :: pick kept rows) y.
    move=> h f' [<-|]; first by apply: h; left.
    by rewrite pickE => hf'; apply: hrows (In_mask hf') => f'' hf''; apply: h; right.
  have hd : definite_in propose n weights (if b then on else off) ((if b then f else opposite f) :: pick kept rows)
      (passed_on kept (tapp new inherited)) (with_sign place b s') by case: (b).
  rewrite e; case: (b) hg' he' hrows' hd hin => hg' he' hrows' hd hin;
    [apply: (IHon _ _ _ _ _ _ hg' he' hrows' hd) | apply: (IHoff _ _ _ _ _ _ hg' he' hrows' hd)];
    rewrite ?subr_gt0 ?size_along // -?e; by apply: hin; auto.
have e0 : along 0 x = x.
  apply: (@eq_from_nth _ 0) => [|j' _]; first by rewrite size_along.
  by rewrite nth_mix ?hx ?size_r // mul1r mul0r addr0.
have h0 : forall b : bool, (forall w : R, w = 0 \/ w = t -> if b then 0 <= value f (along w x) else value f (along w x) <= 0) ->
    height (layers_at net x) < height (layers_at net (along t x)).
  by move=> b hside; rewrite -{1}e0; apply: (part b).
have vt := value_along f t hx; set v := value f x in vt; set d := dotR _ r in vt.
(* where the values at the ends have opposite signs, the neuron is 0 in between, in both parts *)
have crossing (b : bool) : v * (v + t * d) < 0 -> (if b then v < 0 else 0 < v) ->
    height (layers_at net x) < height (layers_at net (along t x)).
  move=> hvw hb; have [u [u0 ut hu]] := zero_between t0 hvw.
  have hw : if b then 0 < v + t * d else v + t * d < 0.
    by case: (b) hb => hb; move: hvw; [rewrite nmulr_rlt0 | rewrite pmulr_rlt0].
  have hmid : value f (along u x) = 0 by rewrite value_along.
  rewrite -{1}e0; apply: (@lt_trans _ _ (height (layers_at net (along u x)))).
    apply: (part (~~ b) 0 u u0 (lexx 0) (ltW ut)) => w [->|->]; first by rewrite e0 -/v; case: (b) hb => /= /ltW.
    by rewrite hmid lexx; case: (b).
  apply: (part b u t ut (ltW u0) (lexx t)) => w [->|->]; first by rewrite hmid lexx; case: (b).
  by rewrite vt; case: (b) hw => /ltW.
have [v0|v0] := lerP 0 v; have [w0|w0] := lerP 0 (value f (along t x)).
- by apply: (h0 true) => w [->|->]; rewrite ?e0.
- have [vz|vp] := eqVneq v 0; first by apply: (h0 false) => w [->|->]; rewrite ?e0 ?(ltW w0) // -/v vz.
  have vpos : 0 < v by rewrite lt_neqAle eq_sym vp.
  by apply: (crossing false); rewrite // -vt pmulr_rlt0.
- have [wz|wp] := eqVneq (value f (along t x)) 0; first by apply: (h0 false) => w [->|->]; rewrite ?e0 ?wz // ltW.
  by apply: (crossing true); rewrite // -vt nmulr_rlt0 // lt_neqAle eq_sym wp.
- by apply: (h0 false) => w [->|->]; rewrite ?e0 ltW.
Qed.

End Direction.

(* ---------- all of the domain ---------- *)

(* I14: the soundness of the check, over every ordered field: layers that are accepted take different inputs in the domain to different
   outputs. *)
Theorem check_definite_sound ls K tree : widths_agree n ls -> is_domain n K -> check_definite propose n weights ls K tree ->
  injective_on_domain n (Polyhedral K) (@layers_at R ls).
Proof.
move=> hw hK /andP[/Nat.eqb_eq hn hc] x y hx hy cx cy he; rewrite size_ofE in hn.
have [//|ne] := eqVneq x y; pose r := difference y x.
have hr : size r = n by apply: size_difference.
have [j hj] : exists j, nth 0 r j != 0.
  have [/hasP[v /(nthP 0)[j _ <-] hv]|/hasPn h] := boolP (has (fun v => v != 0) r); first by exists j.
  case/eqP: ne; apply/esym/difference_zero => [|j]; first by rewrite hy.
  have [hj|hj] := ltnP j (size r); last by rewrite nth_default.
  by apply/eqP; have := h _ (mem_nth 0 hj); rewrite negbK.
have e : along r 1 x = y.
  apply: (@eq_from_nth _ 0) => [|i _]; first by rewrite (size_along hr).
  by rewrite nth_mix ?hr // nth_difference ?hx // !mul1r addrC subrK.
have [in_rows _] : (in_domain n K x -> in_cell (first_rows n K) x) /\ _ := first_rows_sound hK hx.
have [in_rows' _] : (in_domain n K y -> in_cell (first_rows n K) y) /\ _ := first_rows_sound hK hy.
have := @definite_in_sound r hn hr (ex_intro _ j hj) ls tree (first_rows n K) (first_rows n K) [::] (first_layer n ls) 1 x.
rewrite e he ltxx => h; suff : false by []; apply: h => //; [exact: first_layer_good | | exact: in_rows | exact: in_rows'].
by move=> z hz _; rewrite first_layer_out.
Qed.
End Definite.
