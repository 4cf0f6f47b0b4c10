(* I6: how much a layer shortens distances.  Let r = x - y.  A row a_j that no relu follows, or that is not negative at the midpoint of x
   and y, counts: |a_j r| <= 2 |f_j(x) - f_j(y)|.  A dependency has such a row.  In every case of a tree, rows that count, each once, have
   q |r|^2 <= sum of (a_j r)^2, and so q/4 |r|^2 <= |f(x) - f(y)|^2. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import Claims InjectivityClaims Systems Checker InjectivityChecks ExpansionChecks EntryVectors InverseStability.
From ExactRelu Require Import EvaluationSound ConvexDomains DependencySound CertainSound SemidefiniteSound Soundness.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Lemma is_amongE j js : is_among j js = (j \in js).
Proof. by rewrite /is_among existsbE; elim: js => //= i js ->; rewrite nat_eqb. Qed.

Section Parallel.
Variable R : realFieldType.

(* Of two parallel rows the shorter one has the smaller product with any vector. *)
Lemma shorter_product (a b : seq Z) (x : seq R) : size a = size b -> are_multiples a b -> Z.le (dot a a) (dot b b) ->
  dotR a x ^+ 2 <= dotR b x ^+ 2.
Proof.
move=> hs; rewrite /are_multiples; have := @leading_entriesP a b; case: leading_entries => u v /= hzero.
case/andP=> /Bool.eqb_prop huv; rewrite tmap2E forallbE => hall hle.
case: (Z.eqb_spec v 0) huv => [v0|v0] huv.
  by rewrite (dotR_zero x) ?expr0n ?sqr_ge0 //; apply: hzero => //; rewrite v0.
have he : [seq Z.mul v w | w <- a] = [seq Z.mul u w | w <- b].
  by elim: a b hs hall {hle hzero} => [|s a IH] [|t b] //= [hs] /andP[/Z.eqb_eq -> h]; congr (_ :: _); apply: IH.
have product z : embed v * dotR a z = embed u * dotR b z :> R by rewrite -!dotR_scale he.
have v2 : 0 < embed v ^+ 2 :> R by rewrite exprn_even_gt0 //= embed_eq0; apply/eqP/eqP/Z.eqb_spec.
have := dotR_squared b x; set B := embed (dot b b) => hB; have B0 : 0 <= B.
  by rewrite /B; elim: (b) => [|w b' IHb] //; rewrite dot_cons embedD embedM addr_ge0 // -expr2 sqr_ge0.
rewrite -(ler_pmul2l v2) -exprMn product exprMn.
(* v^2 a.a = u^2 b.b *)
have lengths : embed v ^+ 2 * embed (dot a a) = embed u ^+ 2 * B :> R.
  rewrite /B !embed_dot; have pa := product [seq embed w | w <- a]; have pb := product [seq embed w | w <- b].
  rewrite !expr2 -!mulrA pa -pb mulrCA; congr (_ * _); rewrite -!embed_dot; congr (_ * embed _).
  by rewrite !dotE; elim: a b {hs he product hzero hall hle hB B0 pa pb v0 huv} B => [|s a IH] [|t b] B //=; rewrite (IH b B) Z.mul_comm.
have hlengths : embed u ^+ 2 * B <= embed v ^+ 2 * B.
  by rewrite -lengths ler_pmul2l //; apply/embed_le/Z.leb_le.
move: B0; rewrite le_eqVlt => /orP[/eqP hB0|B0]; last by rewrite ler_wpmul2r ?sqr_ge0 // -(ler_pmul2r B0).
have -> : dotR b x ^+ 2 = 0 by apply/eqP; rewrite eq_le sqr_ge0 andbT; apply: le_trans hB _; rewrite -hB0 mul0r.
by rewrite !mulr0.
Qed.
End Parallel.

Section ExpansionSound.
Variable R : realFieldType.
Variables (lowered_by : fraction) (l : layer) (K : convex_domain).
Let n := inputs l.
Hypotheses (marks_size : size (rectified l) = size (rows l)) (widths : forall r, List.In r (rows l) -> size (coefficients r) = n).
Hypotheses (domain_K : is_convex_domain n K) (fraction_ok : Z.lt 0 (below lowered_by)).
Variables (x y : seq R).
Hypotheses (size_x : size x = n) (size_y : size y = n) (x_in : in_convex_domain n K x) (y_in : in_convex_domain n K y).
Let t := value_of R lowered_by.
Let f := lowered_layer_at t l.
Let m := size (rows l).
Let r := difference x y.
Let same_size : size x = size y. Proof. by rewrite size_x size_y. Qed.
Let size_r : size r = n. Proof. exact: size_difference. Qed.
Notation two := (two R).

(* ---------- rows that count ---------- *)

(* a_j r, and f_j(x) - f_j(y) *)
Definition slope j : R := dotR (coefficients (numbered_row l j)) r * two (exponent (numbered_row l j)).
Definition value (z : seq R) (rb : row * bool) : R := if rb.2 then Num.max 0 (row_at z rb.1 - t) else row_at z rb.1.
Definition change j : R := let rb := (numbered_row l j, nth false (rectified l) j) in value x rb - value y rb.
Definition counts j : bool := (j < m)%N && (slope j ^+ 2 <= 4%:R * change j ^+ 2).

Lemma squared_distance_sum : squared_distance (f x) (f y) = \sum_(j <- iota 0 m) change j ^+ 2.
Proof.
rewrite /squared_distance /f /lowered_layer_at zip_map big_map (big_nth (Row Z0 Z0 [::], false)) size_zip marks_size minnn.
rewrite /index_iota subn0; apply: eq_bigr => j _; rewrite nth_zip ?marks_size //.
by rewrite /change /value /numbered_row nthE.
Qed.

Lemma slope_difference j : slope j = row_at x (numbered_row l j) - row_at y (numbered_row l j).
Proof. by rewrite /slope dotR_difference // /row_at -mulrBl opprD addrACA subrr add0r. Qed.

(* A row counts if no relu follows it or it is not negative at the midpoint. *)
Lemma row_counts j : (j < m)%N -> nth false (rectified l) j ==> (t <= row_at (midpoint x y) (numbered_row l j)) -> counts j.
Proof.
move=> hj h; rewrite /counts hj slope_difference /change /value /=; move: h; case: (nth false _ j) => /=; last first.
  by move=> _; rewrite ler_pemull ?sqr_ge0 // ler1n.
rewrite row_at_midpoint //; set p := row_at x _; set s := row_at y _ => h.
have h' : 0 <= (p - t) + (s - t).
  rewrite addrACA -opprD subr_ge0; move: h; rewrite ler_pdivl_mulr ?ltr0n // mulr_natr mulr2n; exact.
have := relu_halves_at_most h'; rewrite ler_pdivr_mulr ?ltr0n // mulrC; congr (_ ^+ 2 <= _).
by rewrite opprB addrA subrK.
Qed.

(* A dependency has a row that counts. *)
Lemma dependency_counts d : dependency_holds lowered_by l K d -> exists2 j, List.In j (row_numbers d) & counts j.
Proof.
move=> hd; case: (boolP (has counts (row_numbers d))) => [/hasP[j hj hv]|none]; first by exists j => //; apply/InP.
case: (dependency_not_negative marks_size domain_K fraction_ok hd (size_midpoint size_x size_y)
  (domain_midpoint size_x size_y x_in y_in)) => j hj.
rewrite ltNge; apply/negP => h; case/negP: none; apply/hasP; exists j; first exact/InP.
by apply: row_counts; [exact: (row_numbers_exist marks_size hd hj) | apply/implyP].
Qed.

(* Rows that count, each once. *)
Lemma counted_rows (S : seq nat) : uniq S -> all counts S -> \sum_(j <- S) slope j ^+ 2 <= 4%:R * squared_distance (f x) (f y).
Proof.
move=> hu /allP hc; rewrite squared_distance_sum mulr_sumr.
apply: (@le_trans _ _ (\sum_(j <- S) 4%:R * change j ^+ 2)).
  by rewrite big_seq [X in _ <= X]big_seq; apply: ler_sum => j /hc/andP[].
have hS : perm_eq S [seq j <- iota 0 m | j \in S].
  apply: uniq_perm; rewrite ?filter_uniq ?iota_uniq // => j; rewrite mem_filter mem_iota add0n.
  by case: (boolP (j \in S)) => //= /hc/andP[->].
rewrite (perm_big _ hS) big_filter big_mkcond; apply: ler_sum => j _.
by case: ifP => // _; rewrite mulr_ge0 ?ler0n ?sqr_ge0.
Qed.

(* ---------- the matrix of some rows ---------- *)

Let free := tmap negb (fixed_columns n K).
Let low := lowest_exponent (rows l).
Let X := mask free r.
Let size_free : size free = n.
Proof. by rewrite /free tmapE size_map (size_fixed_columns domain_K). Qed.
Let outside_free j : ~~ nth false free j -> nth 0 r j = 0.
Proof.
move=> h; have [hj|hj] := ltnP j n; last by rewrite nth_default ?size_r.
move: h; rewrite /free tmapE (nth_map false) ?(size_fixed_columns domain_K) // negbK => h.
by have [_] := fixed_column_zero domain_K size_x size_y x_in y_in h.
Qed.
Let size_X : size X = number free.
Proof. by rewrite /X size_mask ?numberE // size_free size_r. Qed.

Lemma squared_length_free : squared_length X = squared_length r.
Proof.
rewrite /X; move: size_r outside_free; rewrite -size_free; elim: free (r) => [|b marks IH] [|v s] //= [hs] h.
have hm : squared_length (mask marks s) = squared_length s by apply: IH => // j; apply: (h j.+1).
case: b h => h; rewrite !squared_length_cons hm //.
by have -> : v = 0; [apply: (h 0%N) | rewrite expr0n add0r].
Qed.

Lemma numbered_row_in j : (j < m)%N -> List.In (numbered_row l j) (rows l).
Proof. by move=> hj; rewrite /numbered_row nthE; apply: nth_In. Qed.
Lemma size_free_row j : (j < m)%N -> size (free_row l K j) = size X.
Proof.
move=> hj; rewrite /free_row tmapE size_map pickE -/free size_mask ?size_X ?numberE //.
by rewrite size_free; apply/esym/widths/numbered_row_in.
Qed.
Lemma free_row_product j : (j < m)%N -> dotR (free_row l K j) X * two low = slope j.
Proof.
move=> hj; have hin := numbered_row_in hj; have [_ /(_ _ hin) hlow] := lowest_exponent_le (rows l).
have {}hlow : Z.le 0 (Z.sub (exponent (numbered_row l j)) low) by rewrite /low; lia.
have width : size (coefficients (numbered_row l j)) = size free by rewrite size_free; apply: widths.
rewrite /slope -(dotR_mask width) ?size_r ?size_free // -/X.
have -> : exponent (numbered_row l j) = Z.add (Z.sub (exponent (numbered_row l j)) low) low by lia.
rewrite two_add /free_row tmapE pickE -/free -/low mulrA; congr (_ * _).
move: (Z.sub _ _) hlow => k hk; elim: (mask free (coefficients _)) X => [|u a IH] [|v s] /=; rewrite ?mul0r //.
by rewrite IH embed_shiftl // mulrDl; congr (_ + _); rewrite mulrAC.
Qed.

Variable bound : fraction.
Hypotheses (below_bound : Z.lt 0 (below bound)).
Notation D := (embed (below bound) : R).
Notation N := (embed (above bound) : R).

(* A holds rows that count, of which each once the matrix holds at least *)
Definition sound_case (A : cases) : Prop := exists S : seq nat,
  [/\ uniq S /\ {subset S <= A.1}, all counts S, triangular A.2 /\ size A.2 = size X &
      form A.2 X * two low ^+ 2 <= D * (\sum_(j <- S) slope j ^+ 2) - N * squared_length r].
Definition is_bounded : Prop := N * squared_length r <= D * (4%:R * squared_distance (f x) (f y)).

Lemma no_rows_sound : sound_case ([::], no_rows l K bound).
Proof.
exists [::]; split=> //=; first by rewrite /no_rows size_X; exact: triangular_diagonal.
rewrite big_nil mulr0 add0r /no_rows -/free -size_X form_diagonal squared_length_free embed_opp.
have [low0 _] := lowest_exponent_le (rows l); rewrite -/low in low0 *; rewrite embed_shiftl; last by lia.
have one : two (Z.mul (Zneg (xO xH)) low) * two low ^+ 2 = 1.
  by rewrite expr2 -!two_add (_ : Z.add _ _ = Z0); [rewrite /Claims.two /= expr0 | lia].
rewrite !mulNr ler_opp2; set A := two _ in one *; set B := two low ^+ 2 in one *; set L := squared_length r.
by rewrite mulrAC -(mulrA N) one mulr1.
Qed.

(* adding a^T a for a row a that is at most as long a part of r as row j, which is not in A *)
Lemma with_square_sound A a j inside : sound_case A -> counts j -> j \notin A.1 -> size a = size X ->
  dotR a X ^+ 2 <= dotR (free_row l K j) X ^+ 2 -> {subset A.1 <= inside} -> j \in inside ->
  sound_case (inside, with_square bound a A.2).
Proof.
move=> [S [[hu hS] hc [ht hs] hf]] hj hjA ha hle hin hjin; have D0 := embed_gt0 R below_bound.
have [jm _] := andP hj; exists (j :: S); split=> /=.
- split; first by rewrite hu andbT; apply: contra hjA; apply: hS.
  by move=> i; rewrite inE => /orP[/eqP -> //|/hS/hin].
- by rewrite hj.
- have [h1 h2] := triangular_add_square (below bound) (etrans ha (esym hs)) ht.
  by rewrite /with_square h2.
- rewrite /with_square form_add_square ?ha ?hs // mulrDl big_cons mulrDr -addrA addrC; apply: ler_add => //.
  rewrite -mulrA ler_pmul2l // -(free_row_product jm) exprMn ler_wpmul2r ?sqr_ge0 //.
Qed.

Lemma with_row_sound A j : counts j -> sound_case A -> sound_case (with_row l K bound j A).
Proof.
case: A => inside matrix hj hA; rewrite /with_row is_amongE; case: ifP => // /negbT hn.
have [jm _] := andP hj; apply: (with_square_sound (A := (inside, matrix)) hA hj hn (size_free_row jm)) => //=.
  by move=> i hi; rewrite inE hi orbT.
exact: mem_head.
Qed.
Lemma with_rows_sound js A : all counts js -> sound_case A -> sound_case (with_rows l K bound js A).
Proof. by elim: js A => [|j js IH] A //= /andP[hj hjs] hA; apply: IH => //; apply: with_row_sound. Qed.

Lemma with_shortest_sound js A A' : all (fun j => (j < m)%N) js -> (exists2 j, List.In j js & counts j) -> sound_case A ->
  with_shortest l K bound js A = Some A' -> sound_case A'.
Proof.
case: js => [_ [? []]|j js hall hcount hA]; rewrite /with_shortest; set w := List.fold_left _ _ _.
case: ifP => //; rewrite forallbE => /all_In hw [<-]; have [i hi hci] := hcount.
have /andP[/andP[hn hm] /Z.leb_le hle] := hw i hi; rewrite is_amongE in hn.
have [im _] := andP hci; have size_w : size w = size X.
  have {hn hm hle} : size (free_row l K j) = size X by apply: size_free_row; case/andP: hall.
  have : all (fun j => (j < m)%N) js by case/andP: hall.
  rewrite /w; elim: js (free_row l K j) {hw w hall hcount hi} => [|k js IH] a //= /andP[km hjs] ha; apply: IH => //.
  by rewrite /shorter; case: ifP => // _; apply: size_free_row.
apply: (with_square_sound hA hci hn size_w).
- by apply: shorter_product => //; rewrite size_w size_free_row.
- by move=> k hk; rewrite tappE mem_cat hk orbT.
- by rewrite tappE mem_cat; apply/orP; left; apply/InP.
Qed.
Lemma with_all_shortest_sound jss A A' : (forall js, List.In js jss -> all (fun j => (j < m)%N) js) ->
  (forall js, List.In js jss -> exists2 j, List.In j js & counts j) -> sound_case A ->
  with_all_shortest l K bound jss A = Some A' -> sound_case A'.
Proof.
elim: jss A => [|js jss IH] A /= hm hc hA; first by case=> <-.
case hs: with_shortest => [A1|] //; apply: IH => [ks h|ks h|]; [by apply: hm; right | by apply: hc; right |].
by apply: with_shortest_sound hs; [apply: hm; left | apply: hc; left |].
Qed.

(* ---------- the tree ---------- *)

Lemma closes_sound A : sound_case A -> closes A.2 -> is_bounded.
Proof.
move=> [S [[hu _] hc [ht hs] hf]] /(semidefinite_sound (R := R) (x := X) _ ht) h.
have {}h : 0 <= form A.2 X * two low ^+ 2 by apply: mulr_ge0; [apply: h => // | apply: sqr_ge0].
have := le_trans h hf; rewrite subr_ge0 /is_bounded => h'; apply: le_trans h' _.
by rewrite ler_wpmul2l ?(ltW (embed_gt0 R below_bound)) // counted_rows.
Qed.
Lemma every_choice_sound jss A : (forall js, List.In js jss -> exists2 j, List.In j js & counts j) -> sound_case A ->
  every_choice_closes l K bound jss A -> is_bounded.
Proof.
elim: jss A => [|js jss IH] A /= hc hA; first exact: closes_sound.
rewrite forallbE => /all_In hall; have [j hj hcj] := hc js (or_introl erefl).
by apply: IH (hall j hj); [move=> ks h; apply: hc; right | apply: with_row_sound].
Qed.

Variable groups : seq (seq nat).
Hypothesis group_counts : forall g, List.In g groups -> exists2 j, List.In j g & counts j.

Lemma free_counts outside g : (forall j, List.In j outside -> ~~ counts j) -> (exists2 j, List.In j g & counts j) ->
  exists2 j, List.In j (List.filter (fun j => negb (is_among j outside)) g) & counts j.
Proof.
move=> hout [j hj hv]; exists j => //; apply/List.filter_In; split=> //; rewrite is_amongE; apply/negP => /InP/hout.
by rewrite hv.
Qed.

(* At a node, whose rows outside do not count: what is accepted proves the bound. *)
Lemma check_case_sound depth outside A lines rest : (forall j, List.In j outside -> ~~ counts j) -> sound_case A ->
  check_case l K bound groups depth outside A lines = Some rest -> is_bounded.
Proof.
elim: depth outside A lines rest => [|depth IH] outside A lines rest hout hA /=.
  by case: ifP => // h _; apply: closes_sound h.
case: ifP => [h _|_]; first exact: closes_sound h.
case: lines => [|[d|j|rel|ds] lines] //.
- (* branch: the first row of the dependency that counts is that of a child *)
  case hg: List.nth_error => [g|] //=.
  move: (List.filter _ g) (free_counts hout (group_counts (List.nth_error_In _ _ hg))) => js.
  elim: js outside hout lines => [|j js IHjs] out hout lines [i //= hi hv].
  case hn: check_case => [rest'|] //; case: (boolP (counts j)) => hj.
    by move=> _; apply: IH hn => //; apply: with_row_sound.
  apply: IHjs; first by move=> i' [<-|/hout].
  by exists i => //; case: hi => // e; rewrite e hv in hj.
- (* split *)
  case: ifP => // _; case hn: check_case => [rest'|] // hc.
  case: (boolP (counts j)) => hj; first by apply: IH hc => //; apply: with_row_sound.
  by apply: IH hn => // i [<-|/hout].
- (* pack *)
  case hgs: numbered => [gs|] //; case: ifP => // /andP[_ hclose] _; apply: every_choice_sound hA hclose => js.
  by rewrite tmapE => hjs; have [g /(In_numbered hgs)/group_counts hg ->] := In_map hjs; apply: free_counts.
Qed.

Lemma unrectified_counts : all counts (unrectified_rows l).
Proof.
rewrite /unrectified_rows pickE tmapE size_ofE; apply/all_In => j hj.
have [i [hi _ [ej hb]]] := In_mask_nth 0%N hj.
have e : List.seq 0 (size (rows l)) = iota 0 m by rewrite /m; elim: (size (rows l)) 0%N => //= k IHk s; rewrite IHk.
move: ej hi; rewrite e size_iota => -> hi; rewrite nth_iota // add0n; apply: row_counts => //.
by move: hb; rewrite (nth_map false) ?marks_size // => /negbTE ->.
Qed.

(* I6: a tree of cases that is accepted proves the bound. *)
Theorem bounded_below_sound certain lines : (forall js, List.In js certain -> all (fun j => (j < m)%N) js) ->
  (forall js, List.In js certain -> exists2 j, List.In j js & counts j) -> bounded_below l K bound groups certain lines -> is_bounded.
Proof.
rewrite /bounded_below => hm hc; case ha: with_all_shortest => [A|] //; case hn: check_case => [[|? ?]|] // _.
apply: check_case_sound hn => //; apply: with_all_shortest_sound ha => //.
by apply: with_rows_sound no_rows_sound; apply: unrectified_counts.
Qed.
End ExpansionSound.

Section Claim.
Variable R : realFieldType.

(* I6: a layer that is accepted shortens no distance by more than the factor that is claimed. *)
Theorem layer_expands_sound l c : size (rectified l) = size (rows l) ->
  (forall r, List.In r (rows l) -> size (coefficients r) = inputs l) -> is_convex_domain (inputs l) (expansive_on c) ->
  Z.lt 0 (below (expansive_lowered_by c)) -> Z.lt 0 (below (expansion c)) -> layer_expands l c ->
  expands_on (inputs l) (expansive_on c) (value_of R (expansion c)) (lowered_layer_at (value_of R (expansive_lowered_by c)) l).
Proof.
move=> hmarks hwidths hK ht hq /andP[]; rewrite forallbE => /all_In hdep.
case hds: numbered => [ds|] //; case: certain_rows => // es hspan x y sx sy hx hy.
have count d : List.In d (expansion_dependencies c) -> _ := fun hd =>
  dependency_counts hmarks hK ht sx sy hx hy (hdep d hd).
have : is_bounded (expansive_lowered_by c) l x y (expansion c).
  apply: (bounded_below_sound hmarks hwidths hK sx sy hx hy hq _ _ _ hspan) => [g|js|js].
  - by rewrite tmapE => hg; have [d hd ->] := In_map hg; apply: count.
  - rewrite tmapE => hg; have [d /(In_numbered hds) hd ->] := In_map hg; apply/all_In => j.
    exact: (row_numbers_exist hmarks (hdep d hd)).
  - by rewrite tmapE => hg; have [d /(In_numbered hds) hd ->] := In_map hg; apply: count.
have D0 := embed_gt0 R hq; rewrite /is_bounded /value_of.
have -> : squared_length (difference x y) = squared_distance x y by rewrite /squared_length /squared_distance big_map.
move: (squared_distance x y) => u; move: (squared_distance _ _) => v.
move: (embed (below (expansion c))) (embed (above (expansion c))) D0 => d a d0 h.
have {}h : a * u <= d * v * 4%:R by rewrite -mulrA [v * _]mulrC.
have -> : a / d / 4%:R * u = a * u / 4%:R / d by rewrite -!mulrA; congr (_ * _); rewrite mulrA mulrC; congr (_ * _); exact: mulrC.
by rewrite ler_pdivr_mulr // ler_pdivr_mulr ?ltr0n // [v * d]mulrC.
Qed.

(* I6: the soundness of the check, over every ordered field: a certificate of expansion that is accepted makes a true claim. *)
Theorem check_expansion_sound net (c : expansion_certificate) : check_expansion net c = true -> expansion_claim_holds R net c.
Proof.
case/andP=> /network_ok_widths_agree hw; case hs: split_layers => [[before l]|] //.
case/andP=> /andP[/andP[/andP[/convex_domain_ok_is_convex_domain hK /Z.ltb_lt ht] /Z.ltb_lt hq] /Z.ltb_lt ha] hc.
have [after [hn hnumber]] := split_layersP hs; exists before, l, after.
have hl := hw; rewrite hn in hl; have [_ [_ hmarks hwidths _]] := proj1 (widths_agree_cat _ _ _) hl; split=> //.
  by rewrite divr_gt0 // embed_gt0.
exact: layer_expands_sound hc.
Qed.
End Claim.
