(* The layer at a point, the domain, and the systems of section 3.3: what Systems.v computes is what Claims.v means, and the
   pre-image is a polyhedron around a base point (P1). *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate Vectors Integers VectorFacts Farkas Polyhedron Claims Systems Checker RankSound TrivialSound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- lists ---------- *)

Lemma nat_eqb a b : Nat.eqb a b = (a == b).
Proof. by apply/PeanoNat.Nat.eqb_spec/eqP. Qed.

Lemma In_nth (A : Type) (a0 : A) s a : List.In a s <-> exists2 i, (i < size s)%N & nth a0 s i = a.
Proof.
elim: s => [|b s IH] /=; first by split=> // -[].
split=> [[->|/IH[i hi <-]]|[[|i] hi e]]; [by exists 0%N | by exists i.+1 | by left | by right; apply/IH; exists i].
Qed.

Lemma In_filter (A : Type) (p : A -> bool) s a : List.In a [seq b <- s | p b] <-> List.In a s /\ p a.
Proof. exact: List.filter_In. Qed.

Lemma eq_map_In (A B : Type) (f g : A -> B) s : [seq f a | a <- s] = [seq g a | a <- s] <-> forall a, List.In a s -> f a = g a.
Proof.
elim: s => //= b s [IH1 IH2]; split=> [[h /IH1 hs] a [<-|/hs]|h] //.
by rewrite (h b) ?IH2 //; [move=> a ha; apply: h; right | left].
Qed.

Lemma In_zip (A B : Type) (s : seq A) (t : seq B) ab : List.In ab (zip s t) -> List.In ab.1 s /\ List.In ab.2 t.
Proof. by elim: s t => [|a s IH] [|b t] //= [<-|/IH[]]; auto. Qed.

Lemma zip_zip_map (A B C : Type) (f : A -> C) (s : seq A) (t : seq B) :
  zip (zip s t) [seq f a | a <- s] = [seq (ab, f ab.1) | ab <- zip s t].
Proof. by elim: s t => [|a s IH] [|b t] //=; rewrite IH. Qed.

(* forallb over tmap2, by index *)
Lemma all_tmap2 (A B : Type) (a0 : A) (b0 : B) (p : A -> B -> bool) s t n : size s = n -> size t = n ->
  List.forallb (fun b => b) (tmap2 p s t) = true <-> forall j, (j < n)%N -> p (nth a0 s j) (nth b0 t j).
Proof.
rewrite tmap2E forallbE; elim: n s t => [|n IH] [|a s] [|b t] //= [/IH h] [/h{}h].
by split=> [/andP[hp /h ht] [|j]|hp] //; [apply: ht | rewrite (hp 0%N) //=; apply/h => j; apply: (hp j.+1)].
Qed.

Lemma In_map_iff (A B : Type) (f : A -> B) s b : List.In b [seq f a | a <- s] <-> exists2 a, List.In a s & b = f a.
Proof. by split=> [h|[a ha ->]]; [apply: In_map | apply: map_In]. Qed.

Lemma In_iota n j : List.In j (iota 0 n) <-> (j < n)%N.
Proof.
split=> [h|h]; first by have := introT (@InP _ j _) h; rewrite mem_iota.
by apply/InP; rewrite mem_iota.
Qed.

Lemma nth_tmap2 (A B : Type) (a0 : A) (b0 : B) (p : A -> B -> bool) s t n : size s = n -> size t = n ->
  forall j, nth false (tmap2 p s t) j = (j < n)%N && p (nth a0 s j) (nth b0 t j).
Proof.
move=> hs ht j; rewrite tmap2E; case: ltnP => hj /=; last first.
  by rewrite nth_default // size_map size_zip hs ht minnn.
by rewrite (nth_map (a0, b0)) ?size_zip ?hs ?ht ?minnn // nth_zip ?hs ?ht.
Qed.

Lemma size_tmap2 (A B C : Type) (p : A -> B -> C) s t n : size s = n -> size t = n -> size (tmap2 p s t) = n.
Proof. by move=> hs ht; rewrite tmap2E size_map size_zip hs ht minnn. Qed.

Lemma eq_filter_In (A : Type) (p q : A -> bool) s : (forall a, List.In a s -> p a = q a) -> [seq a <- s | p a] = [seq a <- s | q a].
Proof. by elim: s => //= a s IH h; rewrite h ?IH //; [move=> b hb; apply: h; right | left]. Qed.

Lemma zip_map_right (A B : Type) (f : A -> B) s : zip s [seq f a | a <- s] = [seq (a, f a) | a <- s].
Proof. by elim: s => //= a s ->. Qed.

(* ---------- the checks of sizes and signs ---------- *)

Lemma layer_ok_sizes l : layer_ok l ->
  size (rectified l) = size (rows l) /\ forall r, List.In r (rows l) -> size (coefficients r) = inputs l.
Proof.
move=> /andP[]; rewrite !size_ofE nat_eqb forallbE => /eqP -> /all_In h; split=> // r /h.
by rewrite size_ofE nat_eqb => /eqP.
Qed.

(* The check of a network's widths is sound. *)
Theorem network_ok_widths_agree net : network_ok net -> widths_agree (network_inputs net) (layers net).
Proof.
rewrite /network_ok; elim: (layers net) (network_inputs net) => //= l ls IH n.
rewrite nat_eqb size_ofE => /andP[/andP[/eqP <- /layer_ok_sizes[h1 h2]] /IH h3].
by split.
Qed.

(* The check of a point is sound. *)
Theorem point_ok_is_point n p : point_ok n p -> is_point n p.
Proof. by rewrite /point_ok size_ofE nat_eqb => /andP[h /eqP]; split=> //; apply/Z.ltb_lt. Qed.

(* The check of a domain is sound. *)
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

Lemma embed_gt0E v : (0 < embed v :> R) = Z.ltb Z0 v.
Proof. by rewrite ltNge embed_le0 Z.ltb_antisym. Qed.
Lemma embed_leE a b : (embed a <= embed b :> R) = Z.leb a b.
Proof. by rewrite -subr_le0 -embed_opp -embedD embed_le0; apply/Z.leb_spec0/Z.leb_spec0; lia. Qed.
Lemma embed_eqE a b : (embed a == embed b :> R) = Z.eqb a b.
Proof. by rewrite -subr_eq0 -embed_opp -embedD embed_eq0; apply/Z.eqb_spec/Z.eqb_spec; lia. Qed.
Lemma embed_max v : embed (Z.max Z0 v) = Num.max 0 (embed v) :> R.
Proof.
case: (Z.max_spec 0 v) => -[h ->]; first by rewrite max_r // ltW // embed_gt0.
by rewrite max_l // embed_le0; apply/Z.leb_le.
Qed.

(* The signs of a fraction are those of its numerator; fractions are compared crosswise. *)
Lemma fraction_gt0 v D : Z.lt 0 D -> (0 < embed v / embed D :> R) = Z.ltb Z0 v.
Proof. by move=> h; rewrite pmulr_lgt0 ?invr_gt0 ?(embed_gt0 R h) // embed_gt0E. Qed.
Lemma fraction_ge0 v D : Z.lt 0 D -> (0 <= embed v / embed D :> R) = Z.leb Z0 v.
Proof. by move=> h; rewrite pmulr_lge0 ?invr_gt0 ?(embed_gt0 R h) // -[0]/(embed Z0) embed_leE. Qed.
Lemma fraction_le0 v D : Z.lt 0 D -> (embed v / embed D <= 0 :> R) = Z.leb v Z0.
Proof. by move=> h; rewrite pmulr_lle0 ?invr_gt0 ?(embed_gt0 R h) // embed_le0. Qed.
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

(* Points that pass the comparison are equal. *)
Theorem same_point_sound p p' : Z.lt 0 (denominator p) -> Z.lt 0 (denominator p') -> same_point p p' -> rational p = rational p'.
Proof.
move=> h h'; rewrite /same_point !size_ofE nat_eqb => /andP[/eqP e].
move=> /(all_tmap2 Z0 Z0 _ e erefl) hp; apply: (@eq_from_nth _ 0); rewrite ?size_rational // => j.
by rewrite e !nth_rational => /hp hj; apply/eqP; rewrite fraction_eq.
Qed.

(* A point that passes the test is in the domain. *)
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
Proof.
rewrite /lowest_exponent; move: Z0 => m; elim: rs m => /= [|r rs IH] m; first by split=> //; lia.
by have [h1 h2] := IH (Z.min m (exponent r)); split=> [|r' [<-|/h2]] //; lia.
Qed.

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

(* The values of a layer's rows at a point. *)
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

(* The value of a layer at a point. *)
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

(* The value of a list of layers at a point, and its width. *)
Theorem value_through_sound n ls p : widths_agree n ls -> is_point n p ->
  rational (value_through ls p) = layers_at ls (rational p) /\ is_point (width_after n ls) (value_through ls p).
Proof.
rewrite /value_through fold_leftE /layers_at.
elim: ls n p => //= l ls IH n p [_ hs _ hls] [hD _].
by rewrite -layer_value_sound //; apply: IH hls _; apply: layer_value_is_point.
Qed.

(* The number of positive entries of a point, and of a layer's value. *)
Theorem positive_numerators p : Z.lt 0 (denominator p) ->
  count (fun v => 0 < v) (rational p) = number (tmap (Z.ltb Z0) (numerators p)).
Proof.
move=> hD; rewrite numberE tmapE !count_map; apply: eq_count => v /=.
exact: fraction_gt0.
Qed.
Theorem positive_outputs l p : Z.lt 0 (denominator p) ->
  count (fun v => 0 < v) (layer_at l (rational p)) = number (tmap (Z.ltb Z0) (numerators (rectify l (row_values l p)))).
Proof.
move=> hD; rewrite -layer_value_sound // positive_numerators //.
exact: row_values_denominator.
Qed.
End Evaluation.

(* ---------- columns and rows ---------- *)

Section Columns.
Variables (R : realFieldType) (n : nat).
Implicit Types (s : seq R) (u : 'cV[R]_n) (e : entry).

Definition vector_of s : 'cV[R]_n := \col_i nth 0 s i.
Lemma size_coordinates u : size (coordinates u) = n.
Proof. by rewrite size_map size_enum_ord. Qed.
Lemma nth_coordinates u (j : 'I_n) : nth 0 (coordinates u) j = u j 0.
Proof. by rewrite (nth_map j) ?size_enum_ord // nth_ord_enum. Qed.
Lemma coordinates_vector_of s : size s = n -> coordinates (vector_of s) = s.
Proof.
move=> hs; apply: (@eq_from_nth _ 0) => [|j]; rewrite size_coordinates // => hj.
by rewrite (nth_coordinates _ (Ordinal hj)) mxE.
Qed.
Lemma coordinatesD u u' j : nth 0 (coordinates (u + u')) j = nth 0 (coordinates u) j + nth 0 (coordinates u') j.
Proof.
case: (ltnP j n) => hj; last by rewrite !nth_default ?size_coordinates // addr0.
by rewrite !(nth_coordinates _ (Ordinal hj)) mxE.
Qed.
Lemma vector_of_coordinates u : vector_of (coordinates u) = u.
Proof. by apply/colP => j; rewrite mxE nth_coordinates. Qed.

(* the row of integers a as a vector *)
Definition normal_vector (a : seq Z) : 'rV[R]_n := \row_j embed (nth Z0 a j).
Lemma ev_normal a u : ev (normal_vector a) u = dotR a (coordinates u).
Proof.
rewrite (dotR_sum _ (size_coordinates u)) /ev mxE; apply: eq_bigr => j _.
by rewrite mxE nth_coordinates.
Qed.
Lemma ev_side j sign u : (j < n)%N -> ev (entry_vector R n (Side j sign)) u = embed sign * nth 0 (coordinates u) j.
Proof.
move=> hj; rewrite /ev mxE (bigD1 (Ordinal hj)) //= mxE eqxx mulr1 (nth_coordinates _ (Ordinal hj)) big1 ?addr0 // => i ne.
by rewrite mxE (_ : (i == j :> nat) = false) ?mulr0 ?mul0r //; apply: negbTE.
Qed.
(* An entry times a column, and times the list of its coordinates. *)
Lemma entry_at_coordinates e u : entry_ok n e -> entry_at_vector e u = entry_of_list e (coordinates u).
Proof. by case: e => [r _|j sign [hj _]]; [apply: ev_normal | apply: ev_side]. Qed.
Lemma dotR_shift a s u : size s = n -> dotR a (coordinates (vector_of s + u)) = dotR a s + ev (normal_vector a) u.
Proof. by move=> hs; rewrite -ev_normal evDr ev_normal coordinates_vector_of. Qed.
Lemma nth_shift s u j : size s = n -> nth 0 (coordinates (vector_of s + u)) j = nth 0 s j + nth 0 (coordinates u) j.
Proof. by move=> hs; rewrite coordinatesD coordinates_vector_of. Qed.
End Columns.

(* ---------- the pre-image as a polyhedron (P1) ---------- *)

Section Conditions.
Variable R : realFieldType.
Notation two := (two R).
Notation rational := (rational R).
Implicit Types (x z : point) (l : layer) (K : domain).

(* the rows with their marks and values *)
Definition layer_data l z : seq (row * bool * Z) := zip (zip (rows l) (rectified l)) (numerators z).

(* The conditions on a displacement u from x: a row of P keeps its value, another row stays at or below 0. *)
Definition layer_condition n x (rbv : row * bool * Z) : condition R n :=
  let: (r, marked, v) := rbv in
  Condition (in_P marked v) (normal_vector R n (coefficients r)) (- (embed (constant r) + dotR (coefficients r) (rational x))).
Definition lower_condition n (j : nat) (slack : R) : condition R n := Condition false (entry_vector R n (Side j (Zneg xH))) slack.
Definition upper_condition n (j : nat) (slack : R) : condition R n := Condition false (entry_vector R n (Side j (Zpos xH))) slack.
Definition domain_conditions n K x : seq (condition R n) :=
  match K with
  | AllSpace => [::]
  | Orthant => [seq lower_condition n j (nth 0 (rational x) j) | j <- iota 0 n]
  | Box lo hi => [seq lower_condition n j (nth 0 (rational x) j - nth 0 (rational lo) j) | j <- iota 0 n] ++
                 [seq upper_condition n j (nth 0 (rational hi) j - nth 0 (rational x) j) | j <- iota 0 n]
  | Polytope sides => [seq Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational x))) | s <- sides]
  end.
Definition conditions l K x z : seq (condition R (inputs l)) :=
  [seq layer_condition (inputs l) x rbv | rbv <- layer_data l z] ++ domain_conditions (inputs l) K x.

Lemma layer_dataE l x : layer_data l (row_values l x) = [seq (rb, row_numerator l x rb.1) | rb <- zip (rows l) (rectified l)].
Proof. by rewrite /layer_data numerators_row_values zip_zip_map. Qed.
(* what is known of a row with its mark and its value *)
Lemma In_layer_data l x r b v : List.In (r, b, v) (layer_data l (row_values l x)) ->
  [/\ List.In r (rows l), List.In (r, b) (zip (rows l) (rectified l)) & v = row_numerator l x r].
Proof. by rewrite layer_dataE => h; have [[r' b'] h' [-> -> ->]] := In_map h; have [hr _] := In_zip h'. Qed.

Section At.
Variables (l : layer) (K : domain) (x : point).
Let n := inputs l.
Let z := row_values l x.
Let x0 := vector_of n (rational x).
Hypotheses (point_x : is_point n x) (domain_K : is_domain n K).

Let x_gt0 : Z.lt 0 (denominator x). Proof. by case: point_x. Qed.
Let size_x : size (rational x) = n. Proof. by rewrite size_rational; case: point_x. Qed.

(* a row's numerator, and the sign of its affine value *)
Lemma row_at_numerator r : List.In r (rows l) ->
  embed (row_numerator l x r) / embed (denominator z) = (embed (constant r) + dotR (coefficients r) (rational x)) * two (exponent r).
Proof. exact: row_numerator_value. Qed.
Lemma z_gt0 : Z.lt 0 (denominator z). Proof. exact: row_values_denominator. Qed.
Lemma row_numerator_gt0 r : List.In r (rows l) ->
  Z.ltb Z0 (row_numerator l x r) = (0 < embed (constant r) + dotR (coefficients r) (rational x)).
Proof. by move=> hr; rewrite -(fraction_gt0 R _ z_gt0) row_at_numerator // pmulr_lgt0 // two_gt0. Qed.
Lemma row_numerator_eq0 r : List.In r (rows l) ->
  Z.eqb (row_numerator l x r) Z0 = (embed (constant r) + dotR (coefficients r) (rational x) == 0).
Proof. by move=> hr; rewrite -(fraction_eq0 R _ z_gt0) row_at_numerator // mulf_eq0 (negbTE (two_neq0 _ _)) orbF. Qed.
Lemma side_eq0 (s : Z * seq Z) :
  Z.eqb (Z.add (Z.mul s.1 (denominator x)) (dot s.2 (numerators x))) Z0 = (embed s.1 + dotR s.2 (rational x) == 0).
Proof.
rewrite -(fraction_eq0 R _ x_gt0) embedD embedM dotR_rational mulrDl mulfK //.
by rewrite gt_eqF // embed_gt0.
Qed.

(* No slack is negative. *)
Theorem slack_ge0 : contains K x -> forall c, List.In c (conditions l K x z) -> ~~ equality c -> 0 <= slack c.
Proof.
move=> /(contains_sound R domain_K point_x) hK c /In_cat[/In_map_iff[[[r b] v] /In_layer_data[hr _ ->] ->] /=|].
  by rewrite negb_or row_numerator_gt0 // -leNgt oppr_ge0 => /andP[].
case: K hK => //=.
- by move=> h /In_map_iff[j /In_iota hj ->] _; apply: h.
- by move=> lo hi h /In_cat[] /In_map_iff[j /In_iota /h/andP[h1 h2] ->] _ /=; rewrite subr_ge0.
- by move=> sides h /In_map_iff[s /h hs ->] _ /=; rewrite oppr_ge0.
Qed.

Lemma relu_unchanged (b : bool) (c d t : R) : 0 < t ->
  (if b then Num.max 0 ((c + d) * t) else (c + d) * t) = (if b then Num.max 0 (c * t) else c * t) <->
  (if ~~ b || (0 < c) then d = 0 else d <= - c).
Proof.
move=> t0; have ct_gt0 : (0 < c * t) = (0 < c) by rewrite pmulr_lgt0.
have unchanged : (c + d) * t = c * t <-> d = 0.
  split=> [/(mulIf (lt0r_neq0 t0))/eqP|->]; last by rewrite addr0.
  by rewrite -subr_eq0 addrAC subrr add0r => /eqP.
case: b => //=; case: ifP => [h|/negbT].
  rewrite [RHS](max_r) ?ltW ?ct_gt0 //; split=> [|/unchanged ->]; last by rewrite max_r // ltW // ct_gt0.
  by case: leP => [_ /unchanged // | _ /esym e]; move: h; rewrite -ct_gt0 e ltxx.
rewrite -leNgt => h; have -> : Num.max 0 (c * t) = 0 by rewrite max_l // pmulr_lle0.
rewrite ler_oppr -subr_le0 opprK -(pmulr_lle0 _ t0); split=> [<-|h']; last by rewrite max_l.
by rewrite le_maxr lexx orbT.
Qed.

Lemma layer_unchanged u : layer_at l (coordinates (x0 + u)) = layer_at l (rational x) <->
  forall c, List.In c [seq layer_condition n x rbv | rbv <- layer_data l z] -> holds c u.
Proof.
rewrite /layer_at eq_map_In; have shift r := dotR_shift (coefficients r) u size_x.
have row r b : List.In r (rows l) ->
    (if b then Num.max 0 (row_at (coordinates (x0 + u)) r) else row_at (coordinates (x0 + u)) r) =
    (if b then Num.max 0 (row_at (rational x) r) else row_at (rational x) r) <->
    holds (layer_condition n x (r, b, row_numerator l x r)) u.
  move=> hr; rewrite /holds /= /in_P row_numerator_gt0 // /row_at shift addrA.
  exact/relu_unchanged/two_gt0.
split=> [h c /In_map_iff[[[r b] v] /In_layer_data[hr hrb ->] ->]|h [r b] hrb]; first exact/row/(h (r, b)).
have [hr _] := In_zip hrb; apply/row => //; apply: h; rewrite /z layer_dataE -map_comp.
by apply/In_map_iff; exists (r, b).
Qed.

Lemma in_domain_shift u : in_domain n K (coordinates (x0 + u)) <->
  forall c, List.In c (domain_conditions n K x) -> holds c u.
Proof.
have lower j (s : R) : (j < n)%N -> holds (lower_condition n j s) u <-> - nth 0 (coordinates u) j <= s.
  by move=> hj; rewrite /holds /= ev_side // mulN1r.
have upper j (s : R) : (j < n)%N -> holds (upper_condition n j s) u <-> nth 0 (coordinates u) j <= s.
  by move=> hj; rewrite /holds /= ev_side // mul1r.
case: K => //=.
- split=> [h c /In_map_iff[j /In_iota hj ->]|h j hj].
    by apply/lower => //; have := h j hj; rewrite nth_shift // -ler_subl_addl sub0r ler_oppl.
  rewrite nth_shift // -ler_subl_addl sub0r ler_oppl; apply/lower => //; apply: h.
  by apply/In_map_iff; exists j => //; apply/In_iota.
- move=> lo hi; split=> [h c /In_cat[]/In_map_iff[j /In_iota hj ->]|h j hj].
  + by apply/lower => //; have /andP[] := h j hj; rewrite nth_shift // ler_oppl opprB ler_subl_addl.
  + by apply/upper => //; have /andP[_] := h j hj; rewrite nth_shift // ler_subr_addl.
  apply/andP; rewrite nth_shift //; split.
    rewrite -ler_subl_addl -opprB ler_oppl; apply/lower => //; apply: h; apply/In_cat; left.
    by apply/In_map_iff; exists j => //; apply/In_iota.
  rewrite -ler_subr_addl; apply/upper => //; apply: h; apply/In_cat; right.
  by apply/In_map_iff; exists j => //; apply/In_iota.
- move=> sides; have one (s : Z * seq Z) : embed s.1 + dotR s.2 (coordinates (x0 + u)) <= 0 <->
      ev (normal_vector R n s.2) u <= - (embed s.1 + dotR s.2 (rational x)).
    by rewrite dotR_shift // addrA -ler_subr_addl sub0r.
  split=> [h c /In_map_iff[s hs ->]|h s hs]; first exact/one/h.
  by apply/one; have := h _ (map_In _ hs).
Qed.

(* P1: around a point x of the domain the pre-image of x's value is a polyhedron. *)
Theorem preimage_polyhedron u :
  preimage (l := l) K (layer_at l (rational x)) (x0 + u) <-> polyhedron (conditions l K x z) u.
Proof.
rewrite /preimage in_domain_shift layer_unchanged; split=> [[h1 h2] c /In_cat[/h2|/h1] //|h].
by split=> c hc; apply: h; apply/In_cat; [right | left].
Qed.
End At.
End Conditions.

(* ---------- the entries of a system ---------- *)

Definition entry_equality (e : entry) : bool := match e with General r => is_equality r | Side _ _ => false end.

Lemma In_sides s e : size (lower_sides s) = size (upper_sides s) -> List.In e (sides s) <->
  exists j, nth false (lower_sides s) j /\ e = Side j (Zneg xH) \/ nth false (upper_sides s) j /\ e = Side j (Zpos xH).
Proof.
rewrite /sides; case: s => n rs lower upper /= hs.
have H j out : List.In e (sides_onto j lower upper out) <-> List.In e out \/
    exists i, nth false lower i /\ e = Side (j + i) (Zneg xH) \/ nth false upper i /\ e = Side (j + i) (Zpos xH).
  elim: lower upper hs j out => [|a lower IH] [|b upper] //= hs j out.
    rewrite List.rev_append_rev List.app_nil_r -List.in_rev; split=> [h|[//|[i]]]; first by left.
    by rewrite !nth_nil => -[[]|[]].
  case: hs => hs; rewrite IH //.
  have step (c : bool) t (l : seq entry) : List.In e (if c then t :: l else l) <-> c /\ e = t \/ List.In e l.
    by case: c => /=; [split=> [[->|h]|[[_ ->]|h]] | split=> [h|[[]|]]]; auto.
  rewrite !step; split=> [[[h|[h|h]]|[i h]]|[h|[[|i]]]]; auto.
  - by right; exists 0%N; rewrite addn0; right.
  - by right; exists 0%N; rewrite addn0; left.
  - by right; exists i.+1; rewrite -addSnnS.
  - by rewrite addn0 /= => -[|] h; auto.
  - by rewrite -addSnnS => h; right; exists i.
rewrite H; split=> [[//|//]|h]; by right.
Qed.

Lemma In_nonzero_rows rs r : List.In r (nonzero_rows rs) <-> List.In r rs /\ ~~ is_zero (normal r).
Proof. by rewrite /nonzero_rows pickE tmapE -filter_mask; apply: In_filter. Qed.

Lemma In_entries s e : size (lower_sides s) = size (upper_sides s) -> List.In e (entries_of s) <->
  [\/ exists2 r, List.In r (general s) & e = General r,
      exists2 j, nth false (lower_sides s) j & e = Side j (Zneg xH) | exists2 j, nth false (upper_sides s) j & e = Side j (Zpos xH)].
Proof.
move=> hs; rewrite /entries_of tappE tmapE In_cat In_map_iff In_sides //; split.
  by case=> [h|[j [[h1 h2]|[h1 h2]]]]; [constructor 1 | constructor 2; exists j | constructor 3; exists j].
by case=> [h|[j h1 h2]|[j h1 h2]]; [left | right; exists j; left | right; exists j; right].
Qed.

(* ---------- conditions and systems ---------- *)

Section Represents.
Variables (R : realFieldType) (n : nat).
Implicit Types (L : condition R n -> Prop) (c : condition R n) (e : entry) (u d : 'cV[R]_n).

(* the condition c, as a homogeneous one, and the entry e say the same *)
Definition describes c e : Prop := Polyhedron.normal c = entry_vector R n e /\ equality c = entry_equality e.
Definition entry_holds e d : Prop := if entry_equality e then entry_at_vector e d = 0 else entry_at_vector e d <= 0.
(* the entries es describe the conditions L, without those with normal 0 *)
Definition represents L (es : seq entry) : Prop :=
  (forall c, L c -> Polyhedron.normal c = 0 \/ exists2 e, List.In e es & describes c e) /\
  (forall e, List.In e es -> entry_ok n e /\ exists2 c, L c & describes c e).

Lemma describes_holds c e d : describes c e ->
  (if equality c then ev (Polyhedron.normal c) d = 0 else ev (Polyhedron.normal c) d <= 0) <-> entry_holds e d.
Proof. by move=> [-> ->]. Qed.

Lemma represents_entries L es d : represents L es ->
  (forall c, L c -> if equality c then ev (Polyhedron.normal c) d = 0 else ev (Polyhedron.normal c) d <= 0) <->
  (forall e, List.In e es -> entry_holds e d).
Proof.
move=> [h1 h2]; split=> h; first by move=> e /h2[_ [c /h hc hce]]; apply/(describes_holds _ hce).
by move=> c /h1[->|[e /h he hce]]; [rewrite ev0; case: ifP | apply/(describes_holds _ hce)].
Qed.

(* A column satisfies a system of n columns iff it satisfies its entries. *)
Lemma entries_system s d : size (lower_sides s) = size (upper_sides s) -> (forall e, List.In e (entries_of s) -> entry_ok n e) ->
  (forall e, List.In e (entries_of s) -> entry_holds e d) <-> system_holds s (coordinates d).
Proof.
move=> hs ok; have one e : List.In e (entries_of s) ->
    entry_holds e d <-> if entry_equality e then entry_of_list e (coordinates d) = 0 else entry_of_list e (coordinates d) <= 0.
  by move=> /ok he; rewrite /entry_holds entry_at_coordinates.
split=> [h|[h1 h2 h3] e he].
  have {}h e : List.In e (entries_of s) ->
      if entry_equality e then entry_of_list e (coordinates d) = 0 else entry_of_list e (coordinates d) <= 0.
    by move=> he; apply/one/h.
  split=> [r hr|j hj|j hj].
  - by apply: (h (General r)); apply/In_entries => //; constructor 1; exists r.
  - have /h /= : List.In (Side j (Zneg xH)) (entries_of s) by apply/In_entries => //; constructor 2; exists j.
    by rewrite mulN1r oppr_le0.
  - have /h /= : List.In (Side j (Zpos xH)) (entries_of s) by apply/In_entries => //; constructor 3; exists j.
    by rewrite mul1r.
apply/one => //; move/(In_entries _ hs): he => [[r hr ->]|[j hj ->]|[j hj ->]] /=; first exact: h1.
  by rewrite mulN1r oppr_le0; apply: h2.
by rewrite mul1r; apply: h3.
Qed.

Lemma normal_vector_zero a : is_zero a -> normal_vector R n a = 0.
Proof.
rewrite is_zeroE => /all_In h; apply/rowP => j; rewrite !mxE.
case: (ltnP j (size a)) => hj; last by rewrite nth_default.
by have /h/Z.eqb_spec <- : List.In (nth Z0 a j) a by apply/(In_nth Z0); exists j.
Qed.

(* A system without its zero rows represents what all of its rows and sides describe. *)
Lemma represents_system L rs lower upper :
  (forall r, List.In r rs -> size (normal r) = n) -> size lower = n -> size upper = n ->
  (forall c, L c -> [\/ exists2 r, List.In r rs & describes c (General r),
     exists2 j, nth false lower j & describes c (Side j (Zneg xH)) | exists2 j, nth false upper j & describes c (Side j (Zpos xH))]) ->
  (forall r, List.In r rs -> exists2 c, L c & describes c (General r)) ->
  (forall j, nth false lower j -> exists2 c, L c & describes c (Side j (Zneg xH))) ->
  (forall j, nth false upper j -> exists2 c, L c & describes c (Side j (Zpos xH))) ->
  represents L (entries_of (System n (nonzero_rows rs) lower upper)).
Proof.
move=> hr hl hu h1 h2 h3 h4; set s := System _ _ _ _.
have hs : size (lower_sides s) = size (upper_sides s) by rewrite hl hu.
split=> [c /h1[[r hrs hcr]|[j hj hc]|[j hj hc]]|e /(In_entries _ hs)[[r /In_nonzero_rows[hrs _] ->]|[j hj ->]|[j hj ->]]].
- case zr: (is_zero (normal r)); first by left; case: hcr => -> _; apply: normal_vector_zero.
  right; exists (General r) => //; apply/In_entries => //; constructor 1; exists r => //.
  by apply/In_nonzero_rows; rewrite zr.
- by right; exists (Side j (Zneg xH)) => //; apply/In_entries => //; constructor 2; exists j.
- by right; exists (Side j (Zpos xH)) => //; apply/In_entries => //; constructor 3; exists j.
- by split; [apply: hr | apply: h2].
- split; last exact: h3.
  by split; [rewrite -hl; apply: contraLR hj; rewrite -leqNgt => /(nth_default false) -> | right].
- split; last exact: h4.
  by split; [rewrite -hu; apply: contraLR hj; rewrite -leqNgt => /(nth_default false) -> | left].
Qed.
End Represents.

(* ---------- the tight and the recession system ---------- *)

Lemma all_columnsE b n : all_columns b n = nseq n b.
Proof. by rewrite /all_columns repeat_ontoE cats0. Qed.

(* the rows of the layer that are in the tight system, and in the recession system *)
Lemma tight_layer_rowsE l z : tight_layer_rows l z =
  [seq layer_general (in_P rbv.1.2 rbv.2) rbv.1.1 | rbv <- layer_data l z & in_P rbv.1.2 rbv.2 || Z.eqb rbv.2 Z0].
Proof.
rewrite /tight_layer_rows /layer_data pickE !tmap2E.
elim: (rows l) (rectified l) (numerators z) => [|r rs IH] [|b bs] [|v vs] //=; rewrite ?mask0 ?mask0s //.
by rewrite IH; case: ifP.
Qed.
Lemma all_layer_rowsE l z : tmap2 (fun r e => layer_general e r) (rows l) (tmap2 in_P (rectified l) (numerators z)) =
  [seq layer_general (in_P rbv.1.2 rbv.2) rbv.1.1 | rbv <- layer_data l z].
Proof.
rewrite /layer_data !tmap2E.
by elim: (rows l) (rectified l) (numerators z) => [|r rs IH] [|b bs] [|v vs] //=; rewrite IH.
Qed.
Lemma active_rowsE l z : active_rows l z = [seq layer_general true rbv.1.1 | rbv <- layer_data l z & in_P rbv.1.2 rbv.2].
Proof.
rewrite /active_rows /layer_data pickE !tmap2E tmapE.
elim: (rows l) (rectified l) (numerators z) => [|r rs IH] [|b bs] [|v vs] //=; rewrite ?mask0 ?mask0s //.
by case: ifP => /= _; rewrite IH.
Qed.

(* the sides and rows of the domain in the tight system *)
Definition tight_lower (n : nat) (K : domain) (x : point) : seq bool :=
  match K with
  | Orthant => tmap (Z.eqb Z0) (numerators x)
  | Box lo _ => tmap2 (fun b v => Z.eqb (Z.mul b (denominator x)) (Z.mul v (denominator lo))) (numerators lo) (numerators x)
  | _ => all_columns false n
  end.
Definition tight_upper (n : nat) (K : domain) (x : point) : seq bool :=
  match K with
  | Box _ hi => tmap2 (fun b v => Z.eqb (Z.mul b (denominator x)) (Z.mul v (denominator hi))) (numerators hi) (numerators x)
  | _ => all_columns false n
  end.
Definition domain_sides (K : domain) : seq (Z * seq Z) := if K is Polytope sides then sides else [::].
Definition side_tight (x : point) (s : Z * seq Z) : bool :=
  Z.eqb (Z.add (Z.mul s.1 (denominator x)) (dot s.2 (numerators x))) Z0.

Lemma tight_systemE l K x z : tight_system l K x z = System (inputs l)
  (nonzero_rows (tight_layer_rows l z ++ [seq polytope_general s | s <- domain_sides K & side_tight x s]))
  (tight_lower (inputs l) K x) (tight_upper (inputs l) K x).
Proof.
rewrite /tight_system; case: K => [||lo hi|sides] /=; rewrite tappE //.
by rewrite !tmapE pickE -filter_mask.
Qed.
Definition is_box (K : domain) : bool := if K is Box _ _ then true else false.
Definition has_lower (K : domain) : bool := match K with Orthant | Box _ _ => true | _ => false end.
Lemma recession_systemE l K z : recession_system l K z = System (inputs l)
  (nonzero_rows ([seq layer_general (in_P rbv.1.2 rbv.2) rbv.1.1 | rbv <- layer_data l z] ++
                 [seq polytope_general s | s <- domain_sides K]))
  (all_columns (has_lower K) (inputs l)) (all_columns (is_box K) (inputs l)).
Proof. by rewrite /recession_system all_layer_rowsE tappE; case: K => //= sides; rewrite tmapE. Qed.

Section SystemsAt.
Variable R : realFieldType.
Variables (l : layer) (K : domain) (x : point).
Let n := inputs l.
Let z := row_values l x.
Hypotheses (widths : forall r, List.In r (rows l) -> size (coefficients r) = n) (point_x : is_point n x) (domain_K : is_domain n K).
Notation L := (conditions R l K x z).

Let size_x : size (numerators x) = n. Proof. by case: point_x. Qed.
Let x_gt0 : Z.lt 0 (denominator x). Proof. by case: point_x. Qed.

(* a condition is tight iff the numbers say so *)
Lemma layer_condition_tight r b : List.In r (rows l) ->
  tight (layer_condition R n x (r, b, row_numerator l x r)) = in_P b (row_numerator l x r) || Z.eqb (row_numerator l x r) Z0.
Proof. by move=> hr; rewrite /tight /= oppr_eq0 (row_numerator_eq0 R point_x hr). Qed.
Lemma side_condition_tight (s : Z * seq Z) :
  tight (Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational R x)))) = side_tight x s.
Proof. by rewrite /tight /= oppr_eq0 /side_tight (side_eq0 R point_x). Qed.
Lemma orthant_condition_tight j : tight (lower_condition n j (nth 0 (rational R x) j)) = Z.eqb Z0 (nth Z0 (numerators x) j).
Proof. by rewrite /tight /= nth_rational fraction_eq0 // Z.eqb_sym. Qed.
Lemma lower_condition_tight (lo : point) j : Z.lt 0 (denominator lo) ->
  tight (lower_condition n j (nth 0 (rational R x) j - nth 0 (rational R lo) j)) =
  Z.eqb (Z.mul (nth Z0 (numerators lo) j) (denominator x)) (Z.mul (nth Z0 (numerators x) j) (denominator lo)).
Proof. by move=> h; rewrite /tight /= subr_eq0 eq_sym !nth_rational fraction_eq. Qed.
Lemma upper_condition_tight (hi : point) j : Z.lt 0 (denominator hi) ->
  tight (upper_condition n j (nth 0 (rational R hi) j - nth 0 (rational R x) j)) =
  Z.eqb (Z.mul (nth Z0 (numerators hi) j) (denominator x)) (Z.mul (nth Z0 (numerators x) j) (denominator hi)).
Proof. by move=> h; rewrite /tight /= subr_eq0 !nth_rational fraction_eq. Qed.

Lemma size_tight_lower : size (tight_lower n K x) = n.
Proof.
rewrite /tight_lower; case: K domain_K => [||lo hi|sides] /=; rewrite ?all_columnsE ?size_nseq ?tmapE ?size_map //.
by move=> [[_ h] _]; rewrite (size_tmap2 _ h).
Qed.
Lemma size_tight_upper : size (tight_upper n K x) = n.
Proof.
rewrite /tight_upper; case: K domain_K => [||lo hi|sides] /=; rewrite ?all_columnsE ?size_nseq //.
by move=> [_ [_ h]]; rewrite (size_tmap2 _ h).
Qed.

Lemma side_sizes s : List.In s (domain_sides K) -> size s.2 = n.
Proof. by case: K domain_K => //= sides h /h. Qed.

Lemma In_conditions_layer r b v : List.In (r, b, v) (layer_data l z) -> List.In (layer_condition R n x (r, b, v)) L.
Proof. by move=> h; apply/In_cat; left; apply/In_map_iff; exists (r, b, v). Qed.
Lemma In_conditions_domain c : List.In c (domain_conditions R n K x) -> List.In c L.
Proof. by move=> h; apply/In_cat; right. Qed.

(* The tight system describes the tight conditions. *)
Lemma tight_represents : represents (fun c => List.In c L /\ tight c) (entries_of (tight_system l K x z)).
Proof.
rewrite tight_systemE tight_layer_rowsE; apply: represents_system.
- move=> r /In_cat[]/In_map_iff[a /In_filter[ha _] ->] /=; last exact: side_sizes.
  by apply: widths; case: a ha => [[r' b] v] /In_layer_data[].
- exact: size_tight_lower.
- exact: size_tight_upper.
- move=> c [/In_cat[/In_map_iff[[[r b] v] h ->]|]].
    have [hr _ e] := In_layer_data h; rewrite {1}e layer_condition_tight // -e => ht; constructor 1.
    exists (layer_general (in_P b v) r) => //; apply/In_cat; left; apply/In_map_iff.
    by exists (r, b, v) => //; apply/In_filter.
  case: K domain_K => [||lo hi|sides] hK //=.
  + move=> /In_map_iff[j /In_iota hj ->]; rewrite orthant_condition_tight => ht; constructor 2; exists j => //.
    by rewrite tmapE (nth_map Z0) ?size_x.
  + move=> /In_cat[]/In_map_iff[j /In_iota hj ->].
      rewrite lower_condition_tight; last by case: hK => -[].
      by move=> ht; constructor 2; exists j => //; rewrite (nth_tmap2 Z0 Z0 _ _ size_x) ?hj //; case: hK => -[].
    rewrite upper_condition_tight; last by case: hK => _ [].
    by move=> ht; constructor 3; exists j => //; rewrite (nth_tmap2 Z0 Z0 _ _ size_x) ?hj //; case: hK => _ [].
  + move=> /In_map_iff[s hs ->]; rewrite side_condition_tight => ht; constructor 1; exists (polytope_general s) => //.
    by apply/In_cat; right; apply/In_map_iff; exists s => //; apply/In_filter.
- move=> r /In_cat[]/In_map_iff[].
    move=> [[r' b] v] /In_filter[h ht] ->; exists (layer_condition R n x (r', b, v)) => //.
    by split; [apply: In_conditions_layer | have [hr _ e] := In_layer_data h; move: ht; rewrite e layer_condition_tight].
  move=> s /In_filter[hs ht] ->; exists (Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational R x)))) => //.
  split; last by rewrite side_condition_tight.
  by apply: In_conditions_domain; case: K hs => //= sides hs; apply/In_map_iff; exists s.
- move=> j; rewrite /tight_lower; case: K domain_K (@In_conditions_domain) => [||lo hi|sides] hK inL /=.
  + by rewrite all_columnsE nth_nseq if_same.
  + case: (ltnP j n) => hj; last by rewrite nth_default // tmapE size_map size_x.
    rewrite tmapE (nth_map Z0) ?size_x // => ht; exists (lower_condition n j (nth 0 (rational R x) j)) => //.
    by rewrite orthant_condition_tight; split=> //; apply/inL/In_map_iff; exists j => //; apply/In_iota.
  + have [[lo0 lon] _] := hK; rewrite (nth_tmap2 Z0 Z0 _ lon size_x) => /andP[hj ht].
    exists (lower_condition n j (nth 0 (rational R x) j - nth 0 (rational R lo) j)) => //; rewrite lower_condition_tight //.
    by split=> //; apply/inL/In_cat; left; apply/In_map_iff; exists j => //; apply/In_iota.
  + by rewrite all_columnsE nth_nseq if_same.
- move=> j; rewrite /tight_upper; case: K domain_K (@In_conditions_domain) => [||lo hi|sides] hK inL /=;
    try by rewrite all_columnsE nth_nseq if_same.
  have [_ [hi0 hin]] := hK; rewrite (nth_tmap2 Z0 Z0 _ hin size_x) => /andP[hj ht].
  exists (upper_condition n j (nth 0 (rational R hi) j - nth 0 (rational R x) j)) => //; rewrite upper_condition_tight //.
  by split=> //; apply/inL/In_cat; right; apply/In_map_iff; exists j => //; apply/In_iota.
Qed.

(* The recession system describes all conditions. *)
Lemma recession_represents : represents (fun c => List.In c L) (entries_of (recession_system l K z)).
Proof.
rewrite recession_systemE; apply: represents_system.
- move=> r /In_cat[]/In_map_iff[a ha ->] /=; last exact: side_sizes.
  by apply: widths; case: a ha => [[r' b] v] /In_layer_data[].
- by rewrite all_columnsE size_nseq.
- by rewrite all_columnsE size_nseq.
- move=> c /In_cat[/In_map_iff[[[r b] v] h ->]|].
    constructor 1; exists (layer_general (in_P b v) r) => //; apply/In_cat; left; apply/In_map_iff.
    by exists (r, b, v).
  rewrite !all_columnsE; case: K => [||lo hi|sides] //=.
  + by move=> /In_map_iff[j /In_iota hj ->]; constructor 2; exists j; rewrite // nth_nseq hj.
  + move=> /In_cat[]/In_map_iff[j /In_iota hj ->]; [constructor 2 | constructor 3]; exists j; by rewrite // nth_nseq hj.
  + move=> /In_map_iff[s hs ->]; constructor 1; exists (polytope_general s) => //.
    by apply/In_cat; right; apply/In_map_iff; exists s.
- move=> r /In_cat[]/In_map_iff[].
    by move=> [[r' b] v] h ->; exists (layer_condition R n x (r', b, v)) => //; apply: In_conditions_layer.
  move=> s hs ->; exists (Condition false (normal_vector R n s.2) (- (embed s.1 + dotR s.2 (rational R x)))) => //.
  by apply: In_conditions_domain; case: K hs => //= sides hs; apply/In_map_iff; exists s.
- move=> j; rewrite all_columnsE nth_nseq; case: ltnP => // hj.
  case: K (@In_conditions_domain) => [||lo hi|sides] inL //= _.
    by exists (lower_condition n j (nth 0 (rational R x) j)) => //; apply/inL/In_map_iff; exists j => //; apply/In_iota.
  exists (lower_condition n j (nth 0 (rational R x) j - nth 0 (rational R lo) j)) => //.
  by apply/inL/In_cat; left; apply/In_map_iff; exists j => //; apply/In_iota.
- move=> j; rewrite all_columnsE nth_nseq; case: ltnP => // hj.
  case: K (@In_conditions_domain) => [||lo hi|sides] inL //= _.
  exists (upper_condition n j (nth 0 (rational R hi) j - nth 0 (rational R x) j)) => //.
  by apply/inL/In_cat; right; apply/In_map_iff; exists j => //; apply/In_iota.
Qed.

Lemma tight_system_sides : size (lower_sides (tight_system l K x z)) = size (upper_sides (tight_system l K x z)).
Proof. by rewrite tight_systemE /= size_tight_lower size_tight_upper. Qed.
Lemma recession_system_sides : size (lower_sides (recession_system l K z)) = size (upper_sides (recession_system l K z)).
Proof. by rewrite recession_systemE /= !all_columnsE !size_nseq. Qed.

Lemma tight_cone_entries d : tight_cone L d <-> forall e, List.In e (entries_of (tight_system l K x z)) -> entry_holds e d.
Proof. by rewrite -(represents_entries d tight_represents); split=> [h c [h1 h2]|h c h1 h2]; apply: h. Qed.
Lemma recession_cone_entries d : recession_cone L d <-> forall e, List.In e (entries_of (recession_system l K z)) -> entry_holds e d.
Proof. by rewrite -(represents_entries d recession_represents). Qed.

(* The directions of the tight cone satisfy the tight system. *)
Theorem tight_cone_system d : tight_cone L d -> system_holds (tight_system l K x z) (coordinates d).
Proof.
move=> /tight_cone_entries h; apply/entries_system => //; first exact: tight_system_sides.
by move=> e /(proj2 tight_represents)[].
Qed.
(* Every tight condition has the normal 0 or is an entry of the tight system. *)
Theorem tight_condition_entry c : List.In c L -> tight c -> Polyhedron.normal c = 0 \/
  exists2 e, List.In e (entries_of (tight_system l K x z)) & Polyhedron.normal c = entry_vector R n e /\ equality c = entry_equality e.
Proof. by move=> cL ct; apply: (proj1 tight_represents). Qed.
(* Every entry of the tight system holds in the tight cone. *)
Theorem entry_tight_condition e : List.In e (entries_of (tight_system l K x z)) -> entry_ok n e /\
  forall u, tight_cone L u -> if entry_equality e then entry_at_vector e u = 0 else entry_at_vector e u <= 0.
Proof. by move=> he; split; [have [] := proj2 tight_represents e he | move=> u /tight_cone_entries/(_ e he)]. Qed.
(* The directions of the recession cone satisfy the recession system. *)
Theorem recession_cone_system d : recession_cone L d -> system_holds (recession_system l K z) (coordinates d).
Proof.
move=> /recession_cone_entries h; apply/entries_system => //; first exact: recession_system_sides.
by move=> e /(proj2 recession_represents)[].
Qed.
(* The entries of the recession system have the right sizes. *)
Theorem recession_entry_ok e : List.In e (entries_of (recession_system l K z)) -> entry_ok n e.
Proof. by move=> /(proj2 recession_represents)[]. Qed.
(* A direction that satisfies the entries of the recession system is in the recession cone. *)
Theorem system_recession_cone (d : 'cV[R]_n) :
  (forall e, List.In e (entries_of (recession_system l K z)) ->
     if entry_equality e then entry_at_vector e d = 0 else entry_at_vector e d <= 0) -> recession_cone L d.
Proof. by move=> h; apply/recession_cone_entries. Qed.
End SystemsAt.

(* Within a box every pre-image is bounded. *)
Theorem bounded_box (R : realFieldType) l lo hi (y : seq R) : bounded (preimage (l := l) (Box lo hi) y).
Proof.
pose a (p : point) (j : nat) : R := nth 0 (rational R p) j.
exists (\sum_(j < inputs l) (`|a lo j| + `|a hi j|)) => x [/= h _] i; have /andP[] := h i (ltn_ord i).
rewrite nth_coordinates -/(a lo i) -/(a hi i) => h1 h2.
apply: (@le_trans _ _ (`|a lo i| + `|a hi i|)); last first.
  by rewrite [X in _ <= X](bigD1 i) //= ler_addl sumr_ge0 // => j _; rewrite addr_ge0.
rewrite ler_norml ler_oppl; apply/andP; split.
  by rewrite (@le_trans _ _ (- a lo i)) ?ler_opp2 // (le_trans (ler_norm _)) // normrN ler_addl.
by rewrite (le_trans h2) // (le_trans (ler_norm _)) // ler_addr.
Qed.

(* ---------- the rows A_P ---------- *)

Section Active.
Variable R : realFieldType.
Variables (l : layer) (x : point).
Let n := inputs l.
Let z := row_values l x.
Let y := layer_at l (rational R x).
Hypotheses (widths : forall r, List.In r (rows l) -> size (coefficients r) = n) (point_x : is_point n x).

(* A_P by the signs of the numerators is A_P by the signs of the outputs. *)
Theorem active_rows_list : active_rows l z = [seq layer_general true r | r <- active_list l y].
Proof.
rewrite active_rowsE /z layer_dataE /active_list /y /layer_at zip_map_right !filter_map -!map_comp.
congr map; apply: eq_filter_In => -[r b] /In_zip[/= hr _]; rewrite /active /= /in_P.
rewrite (row_numerator_gt0 R point_x hr); case: b => //=.
by rewrite lt_maxr ltxx /= /row_at pmulr_lgt0 // two_gt0.
Qed.

Lemma In_active_rows r : List.In r (active_rows l z) <->
  exists2 rbv, List.In rbv (layer_data l z) & in_P rbv.1.2 rbv.2 /\ r = layer_general true rbv.1.1.
Proof.
rewrite active_rowsE In_map_iff; split=> [[a /In_filter[h1 h2] ->]|[a h1 [h2 ->]]]; first by exists a.
by exists a => //; apply/In_filter.
Qed.
(* The active rows have the right size. *)
Theorem active_entry_ok r : List.In r (active_rows l z) -> entry_ok n (General r).
Proof. by case/In_active_rows => -[[r' b] v] /In_layer_data[/widths hr _ _] [_ ->]. Qed.

(* the rank of A_P: its rows are the normals up to positive factors *)
Lemma rank_scaled_rows (rs : seq row) :
  \rank (\matrix_(i < size rs, j < n) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j) =
  \rank (entries_matrix R n [seq General (layer_general true r) | r <- rs]).
Proof.
have entry i : (i < size rs)%N ->
    entry_vector R n (nth (Side 0 Z0) [seq General (layer_general true r) | r <- rs] i) =
    normal_vector R n (coefficients (nth (Row Z0 Z0 [::]) rs i)).
  by move=> hi; rewrite (nth_map (Row Z0 Z0 [::])).
apply/eqP; rewrite eqn_leq; apply/andP; split; apply/mxrankS/row_subP => i.
  have hi : (i < size [seq General (layer_general true r) | r <- rs])%N by rewrite size_map.
  apply: submx_trans (row_sub (Ordinal hi) (entries_matrix R n _)).
  suff -> : matrix.row i (\matrix_(i, j) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j) =
      two R (exponent (nth (Row Z0 Z0 [::]) rs i)) *: matrix.row (Ordinal hi) (entries_matrix R n _) by apply: scalemx_sub.
  by apply/rowP => j; rewrite !mxE /= entry // !mxE mulrC.
have hi : (i < size rs)%N by have := ltn_ord i; rewrite [X in (_ < X)%N]size_map.
apply: submx_trans (row_sub (Ordinal hi) (\matrix_(i, j) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j)).
suff -> : matrix.row i (entries_matrix R n [seq General (layer_general true r) | r <- rs]) =
    (two R (exponent (nth (Row Z0 Z0 [::]) rs i)))^-1 *:
    matrix.row (Ordinal hi) (\matrix_(i, j) row_vector R n (nth (Row Z0 Z0 [::]) rs i) 0 j).
  exact: scalemx_sub.
by apply/rowP => j; rewrite !mxE entry // !mxE /= mulrCA mulVf ?mulr1 // two_neq0.
Qed.

(* The rank of A_P is that of the active rows. *)
Theorem active_rows_matrix : \rank (active_matrix l y) = \rank (entries_matrix R n [seq General r | r <- active_rows l z]).
Proof. by rewrite active_rows_list -map_comp; apply: rank_scaled_rows. Qed.

(* The equalities of both systems are the active rows, without zero rows. *)
Theorem equality_entry_active K e : is_domain n K -> entry_equality e ->
  List.In e (entries_of (tight_system l K x z)) \/ List.In e (entries_of (recession_system l K z)) ->
  exists2 r, List.In r (active_rows l z) & e = General r.
Proof.
move=> hK he; have active rbv : List.In rbv (layer_data l z) -> in_P rbv.1.2 rbv.2 ->
    List.In (layer_general (in_P rbv.1.2 rbv.2) rbv.1.1) (active_rows l z).
  by move=> h hP; apply/In_active_rows; exists rbv; rewrite ?hP.
case=> /In_entries[|[r hr e_r]|[j _ ej]|[j _ ej]]; try by rewrite ej in he.
- exact: tight_system_sides.
- exists r => //; move: hr he; rewrite e_r tight_systemE tight_layer_rowsE =>
    /In_nonzero_rows[/In_cat[]/In_map_iff[a /In_filter[ha _] ->] _] //=.
  exact: active.
- exact: recession_system_sides.
- exists r => //; move: hr he; rewrite e_r recession_systemE => /In_nonzero_rows[/In_cat[]/In_map_iff[a ha ->] _] //=.
  exact: active.
Qed.
(* Every active row has the normal 0 or is an entry of both systems. *)
Theorem active_row_entry K r : is_domain n K -> List.In r (active_rows l z) -> entry_vector R n (General r) = 0 \/
  List.In (General r) (entries_of (tight_system l K x z)) /\ List.In (General r) (entries_of (recession_system l K z)).
Proof.
move=> hK /In_active_rows[a ha [hP ->]]; case zr: (is_zero (coefficients a.1.1)); first by left; apply: normal_vector_zero.
have e : layer_general true a.1.1 = layer_general (in_P a.1.2 a.2) a.1.1 by rewrite hP.
right; split; apply/In_entries; rewrite ?tight_system_sides ?recession_system_sides //; constructor 1;
  exists (layer_general true a.1.1) => //.
  rewrite tight_systemE tight_layer_rowsE; apply/In_nonzero_rows; rewrite /= zr; split=> //; apply/In_cat; left.
  by apply/In_map_iff; exists a => //; apply/In_filter; rewrite hP.
rewrite recession_systemE; apply/In_nonzero_rows; rewrite /= zr; split=> //; apply/In_cat; left.
by apply/In_map_iff; exists a.
Qed.
End Active.
