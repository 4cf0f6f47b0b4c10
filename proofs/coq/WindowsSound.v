(* I2, window by window: a layer is injective on a domain whose coordinates are independent if windows of it are.  Let x and y in the
   domain have one output.  If they agree in the columns that windows before read, the window's layer has one output at what it reads of
   x and of y; being injective, it leaves them no column of the window in which to differ. *)
From Coq Require Import ZArith List Lia ZifyBool.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate InjectivityCertificate SparseNetwork Vectors Integers ListFacts VectorFacts ApproximateInverse.
From ExactRelu Require Import Claims InjectivityClaims Systems Checker InjectivityChecks WindowChecks RankSound EvaluationSound
  SystemsSound.
From ExactRelu Require Import ConvexDomains DependencySound CertainSound Soundness InjectivitySound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* ---------- the same numbers throughout ---------- *)

Lemma same_list_sound (A : Type) (same : A -> A -> bool) l m :
  (forall a b, same a b -> a = b) -> same_list same l m -> l = m.
Proof. by move=> h; elim: l m => [|a l IH] [|b m] //= /andP[/h -> /IH ->]. Qed.
Lemma same_integers_sound a b : same_list Z.eqb a b -> a = b.
Proof. by apply: same_list_sound => u v /Z.eqb_eq. Qed.
Lemma same_layer_sound l m : same_layer l m -> l = m.
Proof.
case: l m => [n rs marks] [n' rs' marks'] /andP[/andP[/Nat.eqb_eq /= -> hr] hm]; congr Layer.
  apply: same_list_sound hr => -[e c a] [e' c' a'] /andP[/andP[/Z.eqb_eq /= -> /Z.eqb_eq ->]].
  by move/same_integers_sound => ->.
by apply: same_list_sound hm => b b' /Bool.eqb_prop.
Qed.
Lemma same_numbers_sound p q : same_numbers p q -> p = q.
Proof. by case: p q => [d v] [e w] /andP[/Z.eqb_eq /= -> /same_integers_sound ->]. Qed.
Lemma same_domain_sound K L : same_domain K L -> K = L.
Proof. by case: K L => [||a b|?] [||a' b'|?] //= /andP[/same_numbers_sound -> /same_numbers_sound ->]. Qed.

(* ---------- elements by their numbers ---------- *)

Lemma numberedP (A : Type) (a : A) all js s : numbered all js = Some s ->
  s = [seq nth a all j | j <- js] /\ forall j, List.In j js -> (j < size all)%N.
Proof.
rewrite /numbered; case hc: chosen => [terms|] //= [<-]; have [-> h] := chosenP a hc.
rewrite !tmapE in h *; rewrite -!map_comp; split=> // j hj.
by have [] := h (j, Zpos xH) (map_In (fun j => (j, Zpos xH)) hj).
Qed.

Section WindowsSound.
Variables (R : realFieldType) (propose : oracle).
Implicit Types (x y : seq R) (cs : seq nat) (ts : seq (nat * Z)) (r : sparse_row) (rs : seq sparse_row).

(* ---------- rows by their terms ---------- *)

Fixpoint terms_at x ts : R := if ts is t :: ts' then embed t.2 * nth 0 x t.1 + terms_at x ts' else 0.
Definition sparse_row_at x r : R := (embed (sparse_constant r) + terms_at x (row_terms r)) * two R (sparse_exponent r).

Lemma dense_row_at n x r : row_at x (dense_row n r) = sparse_row_at x r.
Proof.
rewrite /row_at /sparse_row_at /= /dense_coefficients !tmapE dotR_combination dotR_zeros add0r; congr ((_ + _) * _).
by elim: (row_terms r) => [|[j v] ts IH] //=; rewrite dotR_unit_at IH.
Qed.
Lemma size_dense_coefficients n ts : List.forallb (fun t => Nat.ltb t.1 n) ts -> size (dense_coefficients n ts) = n.
Proof.
rewrite forallbE => /all_In h; apply: size_combination => [|a]; first by rewrite zerosE size_nseq.
by rewrite tmapE => ha; have [t /h/Nat.ltb_lt ht ->] := In_map ha; apply: size_unit_at; lia.
Qed.
Lemma terms_ontoE j a out : exists2 ts, terms_onto j a out = rev out ++ ts & forall x, terms_at x ts = dotR a (drop j x).
Proof.
elim: a j out => [|v a IH] j out /=; first by exists [::]; rewrite ?rev_append_cat.
have [ts e h] := IH j.+1 (if Z.eqb v 0 then out else (j, v) :: out); rewrite e.
have step x : embed v * nth 0 x j + terms_at x ts = dotR (v :: a) (drop j x).
  rewrite h; have [hj|hj] := ltnP j (size x); first by rewrite (drop_nth 0 hj).
  by rewrite nth_default // !drop_oversize ?(leq_trans hj) // !dotR_nil mulr0 addr0.
case: (Z.eqb_spec v 0) => [v0|_]; last by exists ((j, v) :: ts); rewrite ?rev_cons ?cat_rcons.
by exists ts => // x; have := step x; rewrite v0 mul0r add0r.
Qed.
Lemma sparse_row_of_at x (r : row) : sparse_row_at x (sparse_row_of r) = row_at x r.
Proof. by rewrite /sparse_row_at /=; have [ts -> h] := terms_ontoE 0 (coefficients r) [::]; rewrite h drop0. Qed.

(* ---------- what a window reads ---------- *)

Definition part cs x : seq R := [seq nth 0 x c | c <- cs].

Lemma entries_ontoP cs ts out a : entries_onto cs ts out = Some a ->
  exists2 b, a = rev out ++ b & size b = size cs /\ forall x, dotR b (part cs x) = terms_at x ts.
Proof.
elim: cs ts out => [|c cs IH] [|[j v] ts] out //=; first by case=> <-; exists [::]; rewrite ?rev_append_cat.
  move/IH=> [b -> [hs h]]; exists (Z0 :: b); first by rewrite rev_cons cat_rcons.
  by split=> [|x] /=; rewrite ?hs // h mul0r add0r.
case: Nat.eqb_spec => [->|_] /IH [b -> [hs h]].
  by exists (v :: b); [rewrite rev_cons cat_rcons | split=> [|x] /=; rewrite ?hs // h].
by exists (Z0 :: b); [rewrite rev_cons cat_rcons | split=> [|x] /=; rewrite ?hs // h mul0r add0r].
Qed.
Lemma rows_atP cs rs own : rows_at cs rs = Some own ->
  (forall a, List.In a own -> size (coefficients a) = size cs) /\ size own = size rs /\
  forall x, [seq row_at (part cs x) a | a <- own] = [seq sparse_row_at x r | r <- rs].
Proof.
elim: rs own => [|r rs IH] own /=; first by case=> <-.
case he: entries_onto => [a|] //; case ho: rows_at => [others|] // [<-]; have [b -> [hb h]] := entries_ontoP he.
have [h1 [h2 h3]] := IH _ ho; split; first by move=> a' [<-|/h1].
by split=> [|x] /=; rewrite ?h2 // h3; congr (_ :: _); rewrite /row_at /= h.
Qed.

Lemma nth_part cs x k : (k < size cs)%N -> nth 0 (part cs x) k = nth 0 x (nth 0%N cs k).
Proof. by move=> hk; rewrite (nth_map 0%N). Qed.
Lemma part_of_pointP n cs p q : is_point n p -> part_of_point cs p = Some q ->
  is_point (size cs) q /\ rational R q = part cs (rational R p) /\ forall c, List.In c cs -> (c < n)%N.
Proof.
move=> [hd <-]; rewrite /part_of_point; case hs: numbered => [s|] //= [<-]; have [e h] := numberedP Z0 hs.
split; first by split; rewrite //= e size_map.
by split=> //; rewrite /Claims.rational /= e -map_comp; apply: eq_map => c /=; rewrite nth_rational.
Qed.
(* The part of a domain holds the parts of its points. *)
Lemma part_of_domainP n cs K L : is_domain n K -> part_of_domain cs K = Some L ->
  is_domain (size cs) L /\ forall x, size x = n -> in_domain n K x -> in_domain (size cs) L (part cs x).
Proof.
case: K => [||lo hi|sides] //= => [_ [<-]|_ [<-]|[hlo hhi]]; first by [].
  split=> // x sx hx k hk; rewrite nth_part //; have [hc|hc] := ltnP (nth 0%N cs k) n; first exact: hx.
  by rewrite nth_default ?sx.
case el: part_of_point => [lo'|] //; case eh: part_of_point => [hi'|] // [<-].
have [plo [elo hcs]] := part_of_pointP hlo el; have [phi [ehi _]] := part_of_pointP hhi eh.
split=> // x sx hx k hk; rewrite elo ehi !nth_part //; apply: hx; exact: hcs (nth_In _ hk).
Qed.

Lemma unit_rowsP marks a : List.In a (unit_rows marks) ->
  size (coefficients a) = size marks /\ exists2 k, nth false marks k & forall x, row_at x a = nth 0 x k.
Proof.
rewrite /unit_rows !tmapE pickE size_ofE => ha; have [j hj ->] := In_map ha.
have hseq : List.seq 0 (size marks) = iota 0 (size marks) by elim: (size marks) 0%N => //= q IH b; rewrite IH.
move: hj; rewrite hseq => hj; have jn : (j < size marks)%N by apply/In_iota; exact: In_mask hj.
have {}hj : nth false marks j by rewrite -mem_mask_iota; apply/InP.
split; first exact: size_unit_at.
by exists j => // x; rewrite /row_at dotR_unit_at /= add0r mulr1.
Qed.

Lemma mark_fromP next cs marks : size (mark_from next cs marks) = size marks /\
  forall j, nth false (mark_from next cs marks) j -> nth false marks j \/ List.In (next + j)%N cs.
Proof.
elim: marks next cs => [|b marks IH] next [|c cs] //=; try by split=> // j; left.
case: Nat.eqb_spec => [->|_] /=.
  have [hs h] := IH next.+1 cs; split=> [|[|j]] /=; [by rewrite hs | by right; left; rewrite addn0 |].
  by move/h => [h'|h']; [left | right; right; rewrite addnS -addSn].
have [hs h] := IH next.+1 (c :: cs); split=> [|[|j]] /=; [by rewrite hs | by left |].
by move/h => [h'|h']; [left | right; rewrite addnS -addSn].
Qed.

(* ---------- all windows ---------- *)

Section OneOutput.
Variables (t : fraction) (n : nat) (K : domain) (all_rows : seq (sparse_row * bool)).
Hypotheses (domain_K : is_domain n K) (fraction_ok : Z.lt 0 (below t)).
Notation lowered_by := (InjectivityClaims.value_of R t).
Definition sparse_output_at x (rb : sparse_row * bool) : R :=
  if rb.2 then Num.max 0 (sparse_row_at x rb.1 - lowered_by) else sparse_row_at x rb.1.
(* two inputs in the domain with one output *)
Variables (x y : seq R).
Hypotheses (size_x : size x = n) (size_y : size y = n) (x_in : in_domain n K x) (y_in : in_domain n K y).
Hypothesis one_output : [seq sparse_output_at x rb | rb <- all_rows] = [seq sparse_output_at y rb | rb <- all_rows].

Definition agree_in (marks : seq bool) : Prop := forall j, nth false marks j -> nth 0 x j = nth 0 y j.
Definition proved_injective (q : layer * domain) : Prop :=
  injective_on_domain (inputs q.1) (Polyhedral q.2) (@lowered_layer_at R lowered_by q.1).

(* What a window's layer makes of the part of z that it reads: of its own rows what the layer makes of them at z; and known entries. *)
Lemma lowered_window_at cs (rs : seq (sparse_row * bool)) own units z : rows_at cs (map fst rs) = Some own ->
  lowered_layer_at lowered_by (Layer (size cs) (own ++ units) (map snd rs ++ [seq false | _ <- units])) (part cs z) =
  [seq sparse_output_at z rb | rb <- rs] ++ [seq row_at (part cs z) a | a <- units].
Proof.
move=> hown; have [_ [hs hval]] := rows_atP hown; rewrite /lowered_layer_at /= zip_cat ?map_cat; last by rewrite hs !size_map.
congr (_ ++ _); last by elim: units => [|a units IH] //=; rewrite IH.
have := hval z; rewrite -map_comp; elim: rs own hs {hown hval} => [|[r b] rs IH] [|a own] //= [hs] [e h].
by rewrite e IH.
Qed.
(* If the inputs agree in the columns read before, they do in those of a window whose layer is injective. *)
Lemma question_sound read fixed w cs l L : agree_in read -> question K fixed all_rows read w = Some (cs, (l, L)) ->
  proved_injective (l, L) -> forall c, List.In c cs -> nth 0 x c = nth 0 y c.
Proof.
move=> hread; rewrite /question; case hrs: numbered => [rs|] //; rewrite tmapE.
case hown: rows_at => [own|] //; case hb: numbered => [before|] //; case hf: numbered => [one_value|] //.
case hL: part_of_domain => [L'|] // [<- <- <-].
set cs' := columns_read _ in hown hb hf hL *; rewrite !tappE !tmapE size_ofE.
have [_ hpart] := part_of_domainP domain_K hL.
move=> /(_ (part cs' x) (part cs' y)); rewrite /= !size_map => h c hc.
suff e : part cs' x = part cs' y by move/eq_map_In: e => /(_ c hc).
apply: h; rewrite ?size_map //; try exact: hpart.
rewrite !(lowered_window_at _ _ hown); congr (_ ++ _); apply/eq_map_In.
  by move=> rb /(In_numbered hrs); move: rb; apply/eq_map_In.
move=> a ha; have [_ [k hkk hv]] := unit_rowsP ha; rewrite !hv.
have [size_before size_one_value] : size before = size cs' /\ size one_value = size cs'.
  by have [-> _] := numberedP false hb; have [-> _] := numberedP false hf; rewrite !size_map.
move: hkk; rewrite (nth_tmap2 false false _ size_before size_one_value) => /andP[ks /andP[hbk _]].
by rewrite !nth_part //; apply: hread; move: hbk; have [-> _] := numberedP false hb; rewrite (nth_map 0%N).
Qed.

(* A window's layer and domain are well formed. *)
Lemma question_ok read fixed w cs l L : question K fixed all_rows read w = Some (cs, (l, L)) ->
  [/\ size (rectified l) = size (rows l), forall a, List.In a (rows l) -> size (coefficients a) = inputs l & is_domain (inputs l) L].
Proof.
rewrite /question; case hrs: numbered => [rs|] //; rewrite tmapE.
case hown: rows_at => [own|] //; case hb: numbered => [before|] //; case hf: numbered => [one_value|] //.
case hL: part_of_domain => [L'|] // [_ <- <-].
have [hw [hs _]] := rows_atP hown; have [eb _] := numberedP false hb; have [ef _] := numberedP false hf.
rewrite !tappE !tmapE /= size_ofE; split; first by rewrite !size_cat !size_map hs size_map.
  by move=> a /In_cat[/hw //|/unit_rowsP[-> _]]; apply: size_tmap2; rewrite ?eb ?ef size_map.
by have [] := part_of_domainP domain_K hL.
Qed.

(* Windows that are accepted, after others that have been, leave no column in which the inputs differ. *)
Lemma windows_from_sound fixed number read proved ws : size fixed = n -> agree_in fixed -> size read = n -> agree_in read ->
  (forall p, List.In p proved -> proved_injective p.2) ->
  windows_from propose t K fixed all_rows number read proved ws -> x = y.
Proof.
move=> hfs hfixed; elim: ws number read proved => [|w ws IH] number read proved hs hread hproved /=.
  move=> hall; apply: (@eq_from_nth _ 0) => [|j]; rewrite size_x ?size_y // => hj.
  by move/(all_tmap2 false false _ hs hfs): hall => /(_ j hj) /orP[/hread|/hfixed].
case hq: question => [[cs [l L]]|] //; have [hms hm] := mark_fromP 0 cs read; set marks := mark_from _ _ _ in hms hm * => hc.
have [hmarks hwidths hL] := question_ok hq.
have next : proved_injective (l, L) -> size marks = n /\ agree_in marks.
  move=> hinj; split=> [|j /hm[/hread //|]]; first by rewrite hms.
  exact: question_sound hread hq hinj j.
case: window_by hc => [ev|earlier] /andP[].
  move/(layer_is_injective_sound hmarks hwidths (hL : is_convex_domain _ (Polyhedral L)) fraction_ok) => /(_ R) hinj.
  by have [h1 h2] := next hinj; apply: IH => // p [<-|/hproved].
case/List.existsb_exists => [[i [l' L']] [/hproved + /andP[/andP[_ /= /same_layer_sound el] /same_domain_sound eL]]].
by rewrite el eL => /next[h1 h2]; apply: IH.
Qed.
End OneOutput.

(* I2: windows that are accepted prove that a layer with these rows is injective on the domain. *)
Theorem windows_ok_sound t l (rs : seq (sparse_row * bool)) K ws : is_convex_domain (inputs l) K -> Z.lt 0 (below t) ->
  (forall z, lowered_layer_at (InjectivityClaims.value_of R t) l z = [seq sparse_output_at t z rb | rb <- rs]) ->
  windows_ok propose t (inputs l) rs K ws -> injective_on_domain (inputs l) K (lowered_layer_at (InjectivityClaims.value_of R t) l).
Proof.
move=> hK ht hrows hok x y sx sy hx hy; rewrite !hrows => he.
have hfixed := fixed_column_zero hK sx sy hx hy; have hs := size_fixed_columns hK; move: hok; rewrite /windows_ok.
set fixed := fixed_columns _ _ in hfixed hs *; set none := all_columns _ _ => hok.
have [K' eK hwin] : exists2 K', K = Polyhedral K' & windows_from propose t K' fixed rs 0 none [::] ws.
  by case: (K) hok => [[||lo hi|?]|? ?] //=; eexists.
rewrite eK in hK hx hy.
apply: (windows_from_sound hK ht sx sy hx hy he hs _ _ _ _ hwin) => //.
- by move=> j /hfixed[_ /eqP]; rewrite nth_difference ?sx ?sy // subr_eq0 => /eqP.
- by rewrite /none all_columnsE size_nseq.
by move=> j; rewrite /none all_columnsE nth_nseq if_same.
Qed.

(* ---------- an injective layer ---------- *)

(* I2, I8: evidence that is accepted proves that a layer is injective on a domain. *)
Theorem injective_by_evidence_sound t l K ev : size (rectified l) = size (rows l) ->
  (forall a, List.In a (rows l) -> size (coefficients a) = inputs l) -> is_convex_domain (inputs l) K -> Z.lt 0 (below t) ->
  injective_by_evidence propose t l K ev -> injective_on_domain (inputs l) K (lowered_layer_at (InjectivityClaims.value_of R t) l).
Proof.
move=> hmarks hwidths hK ht; case: ev => [ev|ws] /=; first exact: layer_is_injective_sound.
apply: windows_ok_sound => // z; rewrite /sparse_rows_of tmap2E -map_comp /lowered_layer_at.
by apply: eq_map => -[r b]; rewrite /sparse_output_at /= sparse_row_of_at.
Qed.

(* I1, I2, I8: the soundness of the check, over every ordered field: a certificate of injectivity that is accepted makes a true claim. *)
Theorem check_injective_sound net c : check_injective propose net c = true -> injectivity_claim_holds R net c.
Proof.
case/andP=> /network_ok_widths_agree hw; case hs: split_layers => [[before l]|] //.
case/andP=> /andP[/convex_domain_ok_is_convex_domain hK /Z.ltb_lt ht] hc.
have [after [hn hscope]] := split_layersP hs; exists before, l, after; split=> //.
have hl := hw; rewrite hn in hl; have [_ [_ hmarks hwidths _]] := proj1 (widths_agree_cat _ _ _) hl.
exact: injective_by_evidence_sound hc.
Qed.

(* ---------- a network given by its terms ---------- *)

Lemma sparse_widths_agree n ls : sparse_widths_ok n ls -> widths_agree n (map dense_layer ls).
Proof.
elim: ls n => [|l ls IH] n //= /andP[/andP[/Nat.eqb_eq <-]]; rewrite size_ofE forallbE => /all_In hts /IH hw.
split=> //; rewrite /dense_layer /= !tmapE ?size_map //.
by move=> r hr; have [rb /hts h ->] := In_map hr; apply: size_dense_coefficients.
Qed.
(* I1, I2, I8: the same of a network given by its terms: the claim is true of the network that it stands for. *)
Theorem check_sparse_injective_sound net c :
  check_sparse_injective propose net c = true -> injectivity_claim_holds R (dense_network net) c.
Proof.
case/andP=> /sparse_widths_agree hw; case hnumber: injective_layer => [|number] //; case hl: List.nth_error => [l|] //.
case hby: injective_by => [|ws] //; case/andP=> /andP[/convex_domain_ok_is_convex_domain hK /Z.ltb_lt ht] hc.
have [before [after [e hsize]]] := List.nth_error_split _ _ hl.
exists (map dense_layer before), (dense_layer l), (map dense_layer after).
split=> //; [by rewrite /= tmapE e map_cat hnumber size_map -hsize | by rewrite /= tmapE |].
apply: (windows_ok_sound (l := dense_layer l)) hc => // z; rewrite /lowered_layer_at /= !tmapE.
elim: (sparse_rows l) => [|[r b] rs IH] //=; rewrite IH; congr (_ :: _).
by rewrite /sparse_output_at /= dense_row_at.
Qed.
End WindowsSound.
