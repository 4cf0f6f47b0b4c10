(* What the checker computes of a network is what Claims.v means: the checks of widths, points and domains, the values of rows
   and layers at a point, membership in a domain.  Points have integer numerators over one denominator, so signs and comparisons
   of fractions are those of integers (P1). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers ListFacts VectorFacts Claims Systems Checker.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- the checks of sizes and signs ---------- *)

Lemma layer_ok_sizes l : layer_ok l ->
  size (rectified l) = size (rows l) /\ forall r, List.In r (rows l) -> size (coefficients r) = inputs l.
Proof.
move=> /andP[]; rewrite !size_ofE nat_eqb forallbE => /eqP -> /all_In h; split=> // r /h.
by rewrite size_ofE nat_eqb => /eqP.
Qed.

(* P1: the check of a network's widths is sound. *)
Theorem network_ok_widths_agree net : network_ok net -> widths_agree (network_inputs net) (layers net).
Proof.
rewrite /network_ok; elim: (layers net) (network_inputs net) => //= l ls IH n.
rewrite nat_eqb size_ofE => /andP[/andP[/eqP <- /layer_ok_sizes[h1 h2]] /IH h3].
by split.
Qed.

(* P1: the check of a point is sound. *)
Theorem point_ok_is_point n p : point_ok n p -> is_point n p.
Proof. by rewrite /point_ok size_ofE nat_eqb => /andP[h /eqP]; split=> //; apply/Z.ltb_lt. Qed.

(* P1: the check of a domain is sound. *)
Theorem domain_ok_is_domain n K : domain_ok n K -> is_domain n K.
Proof.
case: K => //= [lo hi /andP[/andP[/point_ok_is_point h1 /point_ok_is_point h2] _] | sides]; first by split.
by rewrite forallbE => /all_In h s /h; rewrite size_ofE nat_eqb => /eqP.
Qed.

(* how many numbers come out of the layers ls when n go in *)
Fixpoint width_after (n : nat) (ls : seq layer) : nat := if ls is l :: ls' then width_after (size (rows l)) ls' else n.

Lemma widths_agree_cat n ls ls' : widths_agree n (ls ++ ls') <-> widths_agree n ls /\ widths_agree (width_after n ls) ls'.
Proof.
elim: ls n => [|l ls IH] n /=; first by split=> [|[]].
by split=> [[h1 h2 h3 /IH[h4 h5]]|[[h1 h2 h3 h4] h5]]; [split | split=> //; apply/IH].
Qed.

(* ---------- signs and powers of two ---------- *)

Section Signs.
Variable R : realFieldType.

(* The signs of a fraction are those of its numerator; fractions are compared crosswise. *)
Lemma fraction_gt0 v D : Z.lt 0 D -> (0 < embed v / embed D :> R) = Z.ltb Z0 v.
Proof. by move=> h; rewrite pmulr_lgt0 ?invr_gt0 ?(embed_gt0 R h) // embed_gt0E. Qed.
Lemma fraction_ge0 v D : Z.lt 0 D -> (0 <= embed v / embed D :> R) = Z.leb Z0 v.
Proof. by move=> h; rewrite pmulr_lge0 ?invr_gt0 ?(embed_gt0 R h) // -[0]/(embed Z0) embed_leE. Qed.
Lemma fraction_eq0 v D : Z.lt 0 D -> (embed v / embed D == 0 :> R) = Z.eqb v Z0.
Proof. by move=> h; rewrite mulf_eq0 invr_eq0 (gt_eqF (embed_gt0 R h)) orbF embed_eq0. Qed.
Lemma fraction_le a D b E : Z.lt 0 D -> Z.lt 0 E ->
  (embed a / embed D <= embed b / embed E :> R) = Z.leb (Z.mul a E) (Z.mul b D).
Proof. by move=> hD hE; rewrite ler_pdivr_mulr ?(embed_gt0 R hD) // mulrAC ler_pdivl_mulr ?(embed_gt0 R hE) // -!embedM embed_leE. Qed.
Lemma fraction_eq a D b E : Z.lt 0 D -> Z.lt 0 E ->
  (embed a / embed D == embed b / embed E :> R) = Z.eqb (Z.mul a E) (Z.mul b D).
Proof. by move=> hD hE; rewrite eqr_div ?(gt_eqF (embed_gt0 R hD)) ?(gt_eqF (embed_gt0 R hE)) // -!embedM embed_eqE. Qed.

Notation two := (two R).
(* 2^(m - n), 2^(a + b), and shifts *)
Lemma two_sub m n : two (Z.sub (Z.of_nat m) (Z.of_nat n)) = 2%:R ^+ m / 2%:R ^+ n.
Proof.
have u k : (2%:R : R) ^+ k \is a GRing.unit by rewrite unitfE expf_neq0 ?pnatr_eq0.
rewrite /Claims.two; case: Z.leb_spec => h.
  have -> : m = (Z.to_nat (Z.sub (Z.of_nat m) (Z.of_nat n)) + n)%N by lia.
  by rewrite exprD mulrK //; congr (_ ^+ _); lia.
have -> : n = (Z.to_nat (Z.opp (Z.sub (Z.of_nat m) (Z.of_nat n))) + m)%N by lia.
by rewrite exprD invrM // mulrA mulrV // mul1r; congr (_ ^+ _)^-1; lia.
Qed.
Lemma two_add a b : two (Z.add a b) = two a * two b.
Proof.
case: (embed_difference a) (embed_difference b) => m [n ->] [p [q ->]].
have -> : Z.add (Z.sub (Z.of_nat m) (Z.of_nat n)) (Z.sub (Z.of_nat p) (Z.of_nat q)) =
          Z.sub (Z.of_nat (m + p)%N) (Z.of_nat (n + q)%N) by lia.
by rewrite !two_sub !exprD mulf_div.
Qed.
Lemma two_gt0 e : 0 < two e.
Proof. by case: (embed_difference e) => m [n ->]; rewrite two_sub divr_gt0 // exprn_gt0 // ltr0n. Qed.
Lemma two_neq0 e : two e != 0.
Proof. exact/lt0r_neq0/two_gt0. Qed.
Lemma embed_shiftl a k : Z.le 0 k -> embed (Z.shiftl a k) = embed a * two k.
Proof.
move=> h; rewrite Z.shiftl_mul_pow2 // embedM; congr (_ * _).
rewrite -(Z2Nat.id k h); elim: (Z.to_nat k) => [|m IH]; first by rewrite /Claims.two /= expr0.
rewrite Nat2Z.inj_succ Z.pow_succ_r; last by lia.
by rewrite embedM IH -Z.add_1_l two_add; congr (_ * _); rewrite /Claims.two /= expr1.
Qed.
End Signs.

(* ---------- points ---------- *)

Section Evaluation.
Variable R : realFieldType.
Notation two := (two R).
Notation rational := (rational R).
Implicit Types (p z : point) (l : layer).

Lemma size_rational p : size (rational p) = size (numerators p).
Proof. by rewrite size_map. Qed.
Lemma nth_rational p j : nth 0 (rational p) j = embed (nth Z0 (numerators p) j) / embed (denominator p).
Proof.
case: (ltnP j (size (numerators p))) => h; first by rewrite (nth_map Z0).
by rewrite !nth_default ?size_rational // mul0r.
Qed.
Lemma dotR_rational a p : dotR a (rational p) = embed (dot a (numerators p)) / embed (denominator p).
Proof.
rewrite embed_dot /rational; elim: a (numerators p) => [|u a IH] [|v s] /=; rewrite ?mul0r // IH.
by rewrite mulrDl mulrA.
Qed.

(* P1: points that pass the comparison are equal. *)
Theorem same_point_sound p p' : Z.lt 0 (denominator p) -> Z.lt 0 (denominator p') -> same_point p p' -> rational p = rational p'.
Proof.
move=> h h'; rewrite /same_point !size_ofE nat_eqb => /andP[/eqP e].
move=> /(all_tmap2 Z0 Z0 _ e erefl) hp; apply: (@eq_from_nth _ 0); rewrite ?size_rational // => j.
by rewrite e !nth_rational => /hp hj; apply/eqP; rewrite fraction_eq.
Qed.

(* Points that fail the comparison differ. *)
Lemma rational_same p q : Z.lt 0 (denominator p) -> Z.lt 0 (denominator q) -> rational p = rational q -> same_point p q.
Proof.
case: p q => D X [E Y] /= hD hE; rewrite /same_point /rational /= !size_ofE tmap2E forallbE => h.
have hs : size X = size Y by have := congr1 size h; rewrite !size_map.
rewrite hs Nat.eqb_refl /=; elim: X Y hs h => [|a X IH] [|b Y] //= [hs] [/eqP h1 h2].
by rewrite (fraction_eq R _ _ hD hE) in h1; rewrite h1 /=; apply: IH.
Qed.

(* P1: a point that passes the test is in the domain. *)
Theorem contains_sound n K p : is_domain n K -> is_point n p -> contains K p -> in_domain n K (rational p).
Proof.
move=> hK [hD hp]; case: K hK => //=.
- move=> _; rewrite forallbE => /all_In h j hj; rewrite nth_rational fraction_ge0 //; apply: h.
  by apply/(In_nth Z0); exists j; rewrite ?hp.
- move=> lo hi [[hl sl] [hh sh]] /andP[/(all_tmap2 Z0 Z0 _ sl hp) h1 /(all_tmap2 Z0 Z0 _ hp sh) h2] j hj.
  by rewrite !nth_rational !fraction_le // h1 // h2.
- move=> sides hs; rewrite forallbE => /all_In h s /h /=.
  rewrite -(embed_le0 R) embedD embedM dotR_rational => h0.
  by rewrite -(pmulr_lle0 _ (embed_gt0 R hD)) mulrDl divfK // gt_eqF // embed_gt0.
Qed.

(* ---------- evaluation ---------- *)

Lemma lowest_exponent_le rs : Z.le (lowest_exponent rs) 0 /\ forall r, List.In r rs -> Z.le (lowest_exponent rs) (exponent r).
Proof. exact: fold_min. Qed.

Lemma row_values_denominator l p : Z.lt 0 (denominator p) -> Z.lt 0 (denominator (row_values l p)).
Proof.
move=> h /=; have [h0 _] := lowest_exponent_le (rows l); apply/Z.ltb_lt.
by rewrite -(embed_gt0E R) embed_shiftl; [rewrite mulr_gt0 ?two_gt0 // embed_gt0 | lia].
Qed.
(* the numerator of a row's value *)
Definition row_numerator l p (r : row) : Z :=
  Z.shiftl (Z.add (Z.mul (constant r) (denominator p)) (dot (coefficients r) (numerators p)))
    (Z.sub (exponent r) (lowest_exponent (rows l))).
Lemma numerators_row_values l p : numerators (row_values l p) = [seq row_numerator l p r | r <- rows l].
Proof. by rewrite /= tmapE. Qed.

Lemma row_quotient (c a D t u : R) : D != 0 -> u != 0 -> (c * D + a) * (t * u) / (D * u) = (c + a / D) * t.
Proof. by move=> hD hu; field; rewrite hD hu. Qed.
Lemma row_numerator_value l p r : Z.lt 0 (denominator p) -> List.In r (rows l) ->
  embed (row_numerator l p r) / embed (denominator (row_values l p)) = row_at (rational p) r.
Proof.
move=> hD hr; have [h0 /(_ r hr) h1] := lowest_exponent_le (rows l); have d0 := gt_eqF (embed_gt0 R hD).
rewrite /row_numerator /= !embed_shiftl; [|lia..]; rewrite /row_at dotR_rational two_add embedD embedM.
by apply: row_quotient; rewrite ?d0 ?two_neq0.
Qed.

(* P1: the values of a layer's rows at a point. *)
Theorem row_values_sound l p : Z.lt 0 (denominator p) ->
  Z.lt 0 (denominator (row_values l p)) /\ rational (row_values l p) = [seq row_at (rational p) r | r <- rows l].
Proof.
move=> hD; split; first exact: row_values_denominator.
rewrite {1}/rational numerators_row_values -map_comp; apply/eq_map_In => r hr /=.
exact: row_numerator_value.
Qed.

Lemma rational_rectify l z : Z.lt 0 (denominator z) ->
  rational (rectify l z) = [seq (if vb.2 then Num.max 0 vb.1 else vb.1) | vb <- zip (rational z) (rectified l)].
Proof.
move=> hD; rewrite /rational /= tmap2E -map_comp.
elim: (numerators z) (rectified l) => [|v vs IH] [|b bs] //=; rewrite IH; congr (_ :: _).
by case: b => //; rewrite embed_max maxr_pmull ?mul0r // invr_ge0 ltW // embed_gt0.
Qed.

(* P1: the value of a layer at a point. *)
Theorem layer_value_sound l p : Z.lt 0 (denominator p) -> rational (layer_value l p) = layer_at l (rational p).
Proof.
move=> hD; have [hz e] := row_values_sound l hD; rewrite /layer_value rational_rectify // e /layer_at.
by elim: (rows l) (rectified l) => [|r rs IH] [|b bs] //=; rewrite IH.
Qed.

Lemma layer_value_is_point l p : Z.lt 0 (denominator p) -> size (rectified l) = size (rows l) -> is_point (size (rows l)) (layer_value l p).
Proof.
move=> hD hs; split; first by rewrite /=; apply: (row_values_denominator l hD).
by rewrite -[numerators _]/(tmap2 _ (numerators (row_values l p)) _) tmap2E size_map size_zip numerators_row_values size_map hs minnn.
Qed.

(* P1: the value of a list of layers at a point, and its width. *)
Theorem value_through_sound n ls p : widths_agree n ls -> is_point n p ->
  rational (value_through ls p) = layers_at ls (rational p) /\ is_point (width_after n ls) (value_through ls p).
Proof.
rewrite /value_through fold_leftE /layers_at.
elim: ls n p => //= l ls IH n p [_ hs _ hls] [hD _].
by rewrite -layer_value_sound //; apply: IH hls _; apply: layer_value_is_point.
Qed.

(* P1: the number of positive entries of a point. *)
Theorem positive_numerators p : Z.lt 0 (denominator p) ->
  count (fun v => 0 < v) (rational p) = number (tmap (Z.ltb Z0) (numerators p)).
Proof.
move=> hD; rewrite numberE tmapE !count_map; apply: eq_count => v /=.
exact: fraction_gt0.
Qed.
End Evaluation.
