(* The domains of claims about all inputs, and layers whose biases are lowered: the checker's tests of them are sound, a domain is convex,
   and a linear form that passes `nowhere_negative` is not negative on it; on a ball by the inequality of Cauchy and Schwarz (I9). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import Claims InjectivityClaims Systems Checker InjectivityChecks EntryVectors EvaluationSound.
From ExactRelu Require Import EmptySound AffinePieces.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* I9: the check of a domain is sound. *)
Theorem convex_domain_ok_is_convex_domain n K : convex_domain_ok n K -> is_convex_domain n K.
Proof. by case: K => [K|D N] /=; [apply: domain_ok_is_domain | case/andP=> /Z.ltb_lt h1 /Z.leb_le h2]. Qed.

Section ConvexDomains.
Variable R : realFieldType.
Implicit Types (x y : seq R) (K : convex_domain) (p : point).
Notation rational := (rational R).
Notation squared_length := (@squared_length R).

(* ---------- squared lengths ---------- *)

Lemma squared_length_nil : squared_length [::] = 0. Proof. by rewrite /squared_length big_nil. Qed.
Lemma squared_length_cons u x : squared_length (u :: x) = u ^+ 2 + squared_length x.
Proof. by rewrite /squared_length big_cons. Qed.
Lemma squared_length_ge0 x : 0 <= squared_length x.
Proof. by rewrite /squared_length big_seq sumr_ge0 // => u _; apply: sqr_ge0. Qed.
(* only 0 has length 0 *)
Lemma squared_length_le0 x : squared_length x <= 0 -> forall j, nth 0 x j = 0.
Proof.
elim: x => [|u x IH] h [|j] //=; move: h; rewrite squared_length_cons => h.
  apply/eqP; rewrite -sqrf_eq0 eq_le sqr_ge0 andbT; apply: le_trans h.
  by rewrite ler_addl squared_length_ge0.
by apply: IH; apply: le_trans h; rewrite ler_addr sqr_ge0.
Qed.
Lemma squared_length_rational p : Z.lt 0 (denominator p) ->
  squared_length (rational p) = embed (dot (numerators p) (numerators p)) / embed (denominator p) ^+ 2.
Proof.
move=> hD; have d0 : embed (denominator p) != 0 :> R by rewrite gt_eqF // embed_gt0.
rewrite /Claims.rational; elim: (numerators p) => [|v vs IH] /=; first by rewrite squared_length_nil mul0r.
by rewrite squared_length_cons IH dot_cons embedD embedM; field.
Qed.
(* Cauchy and Schwarz *)
Lemma dotR_squared a x : dotR a x ^+ 2 <= embed (dot a a) * squared_length x.
Proof.
elim: a x => [|u a IH] [|v x] //=; rewrite ?dot_nil ?squared_length_nil ?mul0r ?mulr0 ?expr0n //.
rewrite dot_cons embedD embedM squared_length_cons.
set s := dotR a x; set A := embed (dot a a); set X := squared_length x; set b := embed u.
have hs : s ^+ 2 <= A * X := IH x.
have X0 : 0 <= X := squared_length_ge0 x.
have A0 : 0 <= A.
  rewrite /A; elim: (a) => [|w a' IHa] //; rewrite dot_cons embedD embedM addr_ge0 //; exact: (sqr_ge0 (embed w)).
(* 2 b v s <= b^2 X + v^2 A, as its square is *)
have cross : (b * v * s) *+ 2 <= b ^+ 2 * X + v ^+ 2 * A.
  have right_ge0 : 0 <= b ^+ 2 * X + v ^+ 2 * A by rewrite addr_ge0 // mulr_ge0 // sqr_ge0.
  apply: le_trans (ler_norm _) _; rewrite -ler_sqr ?nnegrE //; rewrite real_normK ?num_real //.
  apply: (@le_trans _ _ ((b ^+ 2 * v ^+ 2) *+ 4 * (A * X))).
    have -> : ((b * v * s) *+ 2) ^+ 2 = (b ^+ 2 * v ^+ 2) *+ 4 * s ^+ 2 by ring.
    by rewrite ler_wpmul2l // mulrn_wge0 // mulr_ge0 // sqr_ge0.
  rewrite -subr_ge0.
  have -> : (b ^+ 2 * X + v ^+ 2 * A) ^+ 2 - (b ^+ 2 * v ^+ 2) *+ 4 * (A * X) = (b ^+ 2 * X - v ^+ 2 * A) ^+ 2 by ring.
  exact: sqr_ge0.
rewrite -subr_ge0.
have -> : (b * b + A) * (v ^+ 2 + X) - (b * v + s) ^+ 2 = (b ^+ 2 * X + v ^+ 2 * A - (b * v * s) *+ 2) + (A * X - s ^+ 2) by ring.
by rewrite addr_ge0 // subr_ge0.
Qed.

(* ---------- domains ---------- *)

(* I9: a point that passes the test is in the domain. *)
Theorem convex_contains_sound n K p : is_convex_domain n K -> is_point n p -> convex_contains K p -> in_convex_domain n K (rational p).
Proof.
case: K => [K|D N] /= hK hp; first exact: contains_sound.
have [[D0 N0] [hD _]] := (hK, hp); have d0 := embed_gt0 R hD; have e0 := embed_gt0 R D0.
move=> /(embed_le R); rewrite !embedM => h.
rewrite squared_length_rational // expr_div_n ler_pdivr_mulr ?exprn_gt0 // mulrAC ler_pdivl_mulr ?exprn_gt0 //.
have -> : embed (dot (numerators p) (numerators p)) * embed D ^+ 2 = embed D * embed D * embed (dot (numerators p) (numerators p)) :> R.
  by ring.
by apply: le_trans h _; rewrite -exprMn expr2.
Qed.

(* I1, I9: a domain is convex. *)
Theorem in_convex_domain_between n K x y t : in_convex_domain n K x -> in_convex_domain n K y -> size x = size y -> 0 <= t <= 1 ->
  in_convex_domain n K (mix (1 - t) t x y).
Proof.
case: K => [K|D N] /=; first exact: in_domain_between.
move=> hx hy hs /andP[t0 t1]; have s0 : 0 <= 1 - t by rewrite subr_ge0.
apply: (@le_trans _ _ ((1 - t) * squared_length x + t * squared_length y)); last first.
  move: (_ ^+ 2) hx hy => c hx hy; have -> : c = (1 - t) * c + t * c by ring.
  by rewrite ler_add // ler_wpmul2l.
elim: x y hs {hx hy} => [|u x IH] [|v y] //= => [_|[hs]]; first by rewrite !squared_length_nil !mulr0 addr0.
rewrite /mix /= !squared_length_cons -/(mix (1 - t) t x y).
have -> : (1 - t) * (u ^+ 2 + squared_length x) + t * (v ^+ 2 + squared_length y) =
  ((1 - t) * u ^+ 2 + t * v ^+ 2) + ((1 - t) * squared_length x + t * squared_length y) by ring.
apply: ler_add (IH y hs); rewrite -subr_ge0.
have -> : (1 - t) * u ^+ 2 + t * v ^+ 2 - ((1 - t) * u + t * v) ^+ 2 = (1 - t) * t * (u - v) ^+ 2 by ring.
by rewrite mulr_ge0 ?sqr_ge0 // mulr_ge0.
Qed.

(* I9: a linear form that passes the test is not negative at a point of the domain. *)
Theorem nowhere_negative_sound n K sigma total x : size x = n -> is_convex_domain n K -> in_convex_domain n K x ->
  nowhere_negative K sigma total -> 0 <= dotR sigma x + embed total.
Proof.
case: K => [K|D N] /= size_x hK hx.
  case inf: infimum => [[p d]|] // /Z.leb_le/(embed_ge0 R); rewrite embedD embedM => h.
  have [d0 hinf] := infimum_sound size_x hK hx inf; have {}d0 := embed_gt0 R d0.
  rewrite -(pmulr_lge0 _ d0) mulrDl; apply: le_trans h _; rewrite ler_add2r.
  by rewrite -ler_pdivr_mulr.
have [/(embed_gt0 R) D0 /(embed_ge0 R) N0] := hK.
case/andP=> /Z.leb_le/(embed_ge0 R) t0 /(embed_le R); rewrite !embedM => h.
(* |sigma.x| <= total *)
suff : `|dotR sigma x| <= embed total by rewrite ler_norml => /andP[+ _]; rewrite -subr_ge0 opprK.
rewrite -ler_sqr ?nnegrE // real_normK ?num_real //; apply: le_trans (dotR_squared _ _) _.
have S0 : 0 <= embed (dot sigma sigma) :> R.
  elim: (sigma) => [|w a' IHa] //; rewrite dot_cons embedD embedM addr_ge0 //; exact: (sqr_ge0 (embed w)).
apply: le_trans (ler_wpmul2l S0 hx) _; rewrite expr_div_n mulrA ler_pdivr_mulr ?exprn_gt0 //.
have -> : embed (dot sigma sigma) * embed N ^+ 2 = embed N * embed N * embed (dot sigma sigma) :> R by ring.
by apply: le_trans h _; rewrite -exprMn expr2 [embed total * _]mulrC.
Qed.

(* ---------- layers whose biases are lowered ---------- *)

Lemma quotient_sub (v d a e : R) : d != 0 -> e != 0 -> (v * e - a * d) / (d * e) = v / d - a / e.
Proof. by move=> hd he; field; rewrite hd he. Qed.
Lemma lowered_quotient v d t (b : bool) : Z.lt 0 d -> Z.lt 0 (below t) ->
  embed (Z.sub (Z.mul v (below t)) (if b then Z.mul (above t) d else Z0)) / embed (Z.mul d (below t)) =
  embed v / embed d - (if b then value_of R t else 0).
Proof.
move=> /(embed_gt0 R)/lt0r_neq0 d0 /(embed_gt0 R)/lt0r_neq0 e0; rewrite embed_sub !embedM.
case: b; first by rewrite embedM quotient_sub.
have -> : embed Z0 = 0 :> R by [].
by rewrite !subr0 -mulf_div divff // mulr1.
Qed.
(* I4: the value of a lowered layer at a point. *)
Theorem lowered_layer_value_sound t l p : Z.lt 0 (below t) -> Z.lt 0 (denominator p) -> size (rectified l) = size (rows l) ->
  rational (lowered_layer_value t l p) = lowered_layer_at (value_of R t) l (rational p) /\
  Z.lt 0 (denominator (lowered_layer_value t l p)).
Proof.
move=> ht hD hs; have [hz ez] := row_values_sound R l hD; rewrite /lowered_layer_value.
move: (row_values l p) hz ez => z hz ez; set z' := Point _ _.
have hz' : Z.lt 0 (denominator z') by apply: Z.mul_pos_pos.
split; last by [].
rewrite rational_rectify // /lowered_layer_at.
have -> : rational z' = [seq vb.1 - (if vb.2 then value_of R t else 0) | vb <- zip (rational z) (rectified l)].
  rewrite /Claims.rational /= tmap2E -map_comp; elim: (numerators z) (rectified l) => [|v vs IH] [|b bs] //=.
  congr (_ :: _); last exact: IH.
  exact: lowered_quotient.
rewrite ez; elim: (rows l) (rectified l) => [|r rs IH] [|b bs] //=.
by rewrite IH; case: b; rewrite ?subr0.
Qed.
End ConvexDomains.
